"""What only PostgreSQL has: a short way to the driver."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.kit.storage.postgres import plain_sql
from app.notes import sql_rows as sql
from app.notes.models import Note

NOTE = Note.new("Buy oat milk")
DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
PLAIN = {
    "first page": (sql.FIRST_PAGE, {"limit": 1}),
    "next page": (sql.NEXT_PAGE, {"limit": 1, "before": NOTE.id}),
    "get": (sql.GET, {"note_id": NOTE.id}),
    "add": (sql.ADD, sql.note_row(NOTE)),
    "add with a key": (sql.ADD, sql.note_row(NOTE, "k")),
}
OTHER = {
    "a list": sa.select(sql.notes.c.id).where(
        sql.notes.c.id.in_(sa.bindparam("ids", expanding=True))
    ),
    "a constant": sa.select(sql.notes.c.id).where(sql.notes.c.version == 1),
    "another type": sa.select(sa.cast(sql.notes.c.id, sa.JSON)),
}


@pytest.mark.parametrize(("statement", "values"), PLAIN.values(), ids=PLAIN.keys())
def test_what_is_asked_most_goes_straight_to_the_driver(
    statement: sa.Executable, values: dict[str, Any]
) -> None:
    plain = plain_sql(statement, tuple(values), DIALECT)

    assert plain
    assert set(plain[1]) == set(values)


@pytest.mark.parametrize("statement", OTHER.values(), ids=OTHER.keys())
def test_what_has_to_be_converted_does_not(statement: sa.Executable) -> None:
    assert plain_sql(statement, (), DIALECT) is None
