"""Rows in dumps. They are stored without deleting the rows that refer to them."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kit.errors import Conflict
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_tables import to_request

TRIES = 10  # as other loads may store the same rows
REFUSED = "The database refuses them: a unique value is taken, or other rows refer to what is gone."

T = TypeVar("T")
Row = dict[str, Any]


async def dump_rows(
    storage: SqlStorage, statement: sa.Select[Any], record: Callable[..., T]
) -> AsyncGenerator[list[T], None]:
    """Yield the records of rows that also have the columns of their request, page by page."""
    async with aclosing(storage.scan(statement)) as pages:
        async for rows in pages:
            yield [record(*(*each[:-2], to_request(*each[-2:]))) for each in rows]


async def load_rows(
    storage: SqlStorage, ids: Sequence[Any], *tables: tuple[sa.Column[Any], Sequence[Row]]
) -> None:
    """Replace all rows that have one of ``ids`` in the given column of their table.

    It is one transaction, in the order of the tables. By primary key, a row is inserted, updated if
    it differs, or deleted if it is not among the new ones. Raises ``Conflict`` if a constraint of
    the database is violated.
    """

    def replace(connection: sa.Connection) -> None:
        for column, rows in tables:
            _replace(connection, column, ids, rows)

    for _ in range(TRIES):
        with suppress(IntegrityError):
            return await storage.transact(replace)
    raise Conflict(REFUSED)


def _replace(
    connection: sa.Connection, column: sa.Column[Any], ids: Sequence[Any], rows: Sequence[Row]
) -> None:
    table, primary = column.table, tuple(column.table.primary_key)
    chosen = sa.select(table).where(column.in_(ids)).order_by(*primary).with_for_update()
    gone, changed, new = _compare(connection.execute(chosen).mappings(), rows, primary)
    this = sa.and_(*(part == sa.bindparam(f"this_{part.name}") for part in primary))
    for statement, given in (
        (sa.delete(table).where(this), gone),
        (sa.update(table).where(this), changed),
        (sa.insert(table), new),
    ):
        if given:
            connection.execute(statement, given)


def _compare(
    found: Iterable[Mapping[Any, Any]], rows: Sequence[Row], primary: Sequence[sa.Column[Any]]
) -> tuple[list[Row], list[Row], list[Row]]:
    """Return the parameters that delete what is not in ``rows``, update what differs, insert."""
    this = {part.name: f"this_{part.name}" for part in primary}
    key = itemgetter(*this)
    there = {key(row): row for row in found}
    changed, new = [], []
    for row in rows:
        old = there.pop(key(row), None)
        if old is None:
            new.append(row)
        elif any(old[name] != value for name, value in row.items()):
            changed.append({this.get(name, name): value for name, value in row.items()})
    gone = [{this[name]: row[name] for name in this} for row in there.values()]
    return gone, changed, new
