"""Revisions of the SQL schema, run by Alembic; part of the package, so that a wheel has them."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


def config(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration, with the connection that ``env.py`` is to use."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(Path(__file__).parent))
    return settings


@cache
def heads() -> frozenset[str]:
    """Return the newest revisions that this code knows."""
    return frozenset(ScriptDirectory.from_config(config()).get_heads())


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema to the newest revision."""
    command.upgrade(config(connection), "heads")
