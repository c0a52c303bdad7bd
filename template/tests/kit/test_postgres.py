"""What only PostgreSQL has: a short way to the driver."""

import pytest
import sqlalchemy as sa

from app.kit.storage.postgres_plain import plain_statement
from tests.kit.probe.sql import samples

DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
OTHER = {
    "a list": sa.select(samples.c.id).where(samples.c.id.in_(sa.bindparam("ids", expanding=True))),
    "another type": sa.select(sa.cast(samples.c.id, sa.JSON)),
}


@pytest.mark.parametrize("statement", OTHER.values(), ids=OTHER.keys())
def test_what_has_to_be_converted_does_not(statement: sa.Executable) -> None:
    assert plain_statement(statement, (), DIALECT) is None
