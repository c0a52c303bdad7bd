"""Statements that cannot go to the driver."""

import pytest
import sqlalchemy as sa

from app.kit.storage.sql_statements import compiled
from tests.kit.probe.sql import samples

DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
OTHER = {
    "a list": sa.select(samples.c.id).where(samples.c.id.in_(sa.bindparam("ids", expanding=True))),
    "a default": sa.insert(sa.Table("t", sa.MetaData(), sa.Column("x", sa.Integer, default=int))),
    "a float": sa.select(sa.column("x", sa.Float)),
}


@pytest.mark.parametrize("statement", OTHER.values(), ids=OTHER.keys())
def test_what_changes_with_each_execution_is_not_compiled_once(statement: sa.Executable) -> None:
    assert compiled(statement, (), DIALECT) is None
