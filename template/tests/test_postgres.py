"""What only PostgreSQL has: a short way to the driver."""

import pytest
import sqlalchemy as sa

from app.notes import sql
from app.storage.postgres import plain_sql

DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
PLAIN = {"first page": sql.FIRST_PAGE, "next page": sql.NEXT_PAGE, "get": sql.GET, "add": sql.ADD}
OTHER = {
    "a list": sa.select(sql.notes.c.id).where(
        sql.notes.c.id.in_(sa.bindparam("ids", expanding=True))
    ),
    "a constant": sa.select(sql.notes.c.id).where(sql.notes.c.version == 1),
    "another type": sa.select(sa.cast(sql.notes.c.id, sa.JSON)),
}


@pytest.mark.parametrize("statement", PLAIN.values(), ids=PLAIN.keys())
def test_what_is_asked_most_goes_straight_to_the_driver(statement: sa.Executable) -> None:
    assert plain_sql(statement, DIALECT)


@pytest.mark.parametrize("statement", OTHER.values(), ids=OTHER.keys())
def test_what_has_to_be_converted_does_not(statement: sa.Executable) -> None:
    assert plain_sql(statement, DIALECT) is None
