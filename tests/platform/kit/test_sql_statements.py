"""Statements that go to the driver give what SQLAlchemy's own execution gives."""

import gc
import weakref
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.kit.storage import open_storage
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_statements import Change, compiled
from app.kit.storage.sql_tables import THIS_ID
from app.settings import Settings


class Mood(Enum):
    GOOD = 1
    BAD = 2


class Money(sa.TypeDecorator[str]):
    """Another type around one that asks for the driver's."""

    impl, cache_ok = sa.Numeric(12, 2), True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return value and Decimal(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return value and str(value)


class Rate(sa.TypeDecorator[float]):
    impl, cache_ok = sa.Float(), True


ODD = "100% %s %(a)s :x \\ ' \" é 😀"
VALUES: dict[str, tuple[Any, Any]] = {
    "flag": (sa.Boolean(), True),
    "number": (sa.Numeric(12, 3), Decimal("12.345")),
    "date": (sa.Date(), date(2026, 2, 3)),
    "moment": (sa.DateTime(timezone=True), datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)),
    "time": (sa.Time(), time(4, 5, 6)),
    "data": (sa.LargeBinary(), b"\0\xff%s\\'"),
    "tree": (sa.JSON(), {"a": [1, None, ODD]}),
    "mood": (sa.Enum(Mood), Mood.BAD),
    "double": (sa.Double(), 1e300),
    "exact": (sa.Float(asdecimal=True), Decimal("0.5")),
    "money": (Money(), "1.25"),
    "rate": (Rate(), 2.5),
    "uuid": (sa.Uuid(), UUID(int=7)),
    "select": (sa.Text(), ODD),
    "a b%c:d": (sa.BigInteger(), 2**60),
}
TABLE = sa.Table(
    "odd",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    *(sa.Column(name, type_) for name, (type_, _) in VALUES.items()),
    sa.Column("made", sa.Integer, server_default="7"),
)
ROW = {"id": 1, **{name: value for name, (_, value) in VALUES.items()}}
UNTYPED = sa.select(sa.text("id"), TABLE.c.date, TABLE.c.flag).select_from(TABLE)
ID = sa.bindparam("this", type_=sa.Integer())
STATEMENTS: dict[str, Any] = {
    "all": sa.select(TABLE).order_by(TABLE.c.id),
    "one twice": sa.select(TABLE.c.date, TABLE.c.id, TABLE.c.date),
    "a text first": UNTYPED,
    "a text in a union": sa.union_all(UNTYPED, UNTYPED),
    "types by name": sa.text("SELECT flag, id, date FROM odd").columns(date=sa.Date, id=sa.Integer),
    "percent": sa.text("SELECT '50%', '%s', '%(x)s', id FROM odd"),
    "percent, bound": sa.select(sa.literal("50%"), TABLE.c.id % 2),
    "a function": sa.func.length("abc"),
}


@pytest.fixture
async def storage(empty_database: Settings) -> AsyncIterator[SqlStorage]:
    async with open_storage(empty_database) as storage:
        assert isinstance(storage, SqlStorage)
        await storage.migration(TABLE.create)
        yield storage


async def test_values_are_those_of_sqlalchemy(storage: SqlStorage) -> None:
    assert await storage.execute(sa.insert(TABLE), **ROW) == 1
    assert await storage.execute(sa.insert(TABLE), **dict.fromkeys(VALUES), id=2) == 1

    for name, statement in STATEMENTS.items():

        def own(connection: sa.Connection, statement: Any = statement) -> Any:
            return connection.execute(statement).all()

        expected = await storage.read(own)
        assert repr([*map(tuple, await storage.fetch(statement))]) == repr(
            [*map(tuple, expected)]
        ), name
    (row, _) = await storage.fetch(STATEMENTS["all"])
    assert tuple(row) == (*ROW.values(), 7)


async def test_a_parameter_without_a_value_is_an_error(storage: SqlStorage) -> None:
    """It would be null, and a misspelt delete would delete nothing."""
    with pytest.raises(sa.exc.InvalidRequestError, match="required for bind parameter 'this'"):
        await storage.execute(sa.delete(TABLE).where(TABLE.c.id == ID), tihs=1)


async def test_a_parameter_may_be_computed_each_time(storage: SqlStorage) -> None:
    numbers = iter((1, 2))
    statement = sa.select(sa.bindparam("n", callable_=numbers.__next__, type_=sa.Integer()))

    assert [tuple((await storage.fetch(statement))[0]) for _ in range(2)] == [(1,), (2,)]


async def test_a_statement_that_affects_no_rows_can_be_executed(storage: SqlStorage) -> None:
    assert await storage.execute(sa.text("CREATE TABLE other (id int)")) < 1
    assert await storage.execute(sa.text("DROP TABLE other")) < 1


async def test_a_statement_that_is_gone_takes_no_memory(storage: SqlStorage) -> None:
    statement = sa.select(TABLE.c.id).where(TABLE.c.data == b"much")
    await storage.fetch(statement)
    gone = weakref.ref(statement)
    del statement
    gc.collect()

    assert gone() is None


async def test_a_change_of_no_row_leaves_later_ones_whole(storage: SqlStorage) -> None:
    numbers = [sa.Column(name, sa.Integer) for name in ("version", "a", "b")]
    table = sa.Table(
        "versioned", sa.MetaData(), sa.Column("id", sa.Uuid, primary_key=True), *numbers
    )
    await storage.migration(table.create)
    change = Change(sa.update(table).where(table.c.id == THIS_ID), tuple(table.c))
    get, this = sa.select(table).where(table.c.id == THIS_ID), UUID(int=1)

    changed, rows = await storage.change(change, get, {"this_id": this}, {"a": 1})
    assert (changed, [*rows]) == (0, [])
    await storage.execute(sa.insert(table), id=this, version=1, a=0, b=0)
    _, rows = await storage.change(change, get, {"this_id": this}, {"a": 1, "b": 2})

    assert [tuple(row) for row in rows] == [(this, 1, 1, 2)]


DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
OTHER = {
    "a list": sa.select(TABLE.c.id).where(TABLE.c.id.in_(sa.bindparam("ids", expanding=True))),
    "a default": sa.insert(sa.Table("t", sa.MetaData(), sa.Column("x", sa.Integer, default=int))),
    "a float": sa.select(sa.column("x", sa.Float)),
}


@pytest.mark.parametrize("statement", OTHER.values(), ids=OTHER.keys())
def test_what_changes_with_each_execution_is_not_compiled_once(statement: sa.Executable) -> None:
    assert compiled(statement, (), DIALECT) is None
