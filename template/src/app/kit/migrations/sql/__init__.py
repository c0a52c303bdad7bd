"""Revisions of the SQL schema, run by Alembic; part of the package, so that a wheel has them."""

from collections.abc import Collection
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.kit import SERVICE_FOLDER
from app.kit.migrations import require_known

VERSIONS = SERVICE_FOLDER / "migrations" / "sql" / "versions"


def config(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration, with the connection that ``env.py`` is to use."""
    settings = Config(attributes={"connection": connection})
    options = {
        "script_location": str(Path(__file__).parent),
        "version_locations": str(VERSIONS),
        "path_separator": "newline",
    }
    for name, value in options.items():
        settings.set_main_option(name, value.replace("%", "%%"))
    return settings


@cache
def revisions() -> frozenset[str]:
    """Return the revisions that this code knows."""
    known = ScriptDirectory.from_config(config()).walk_revisions()
    return frozenset(script.revision for script in known)


@cache
def heads() -> frozenset[str]:
    """Return the newest of them."""
    return frozenset(ScriptDirectory.from_config(config()).get_heads())


def are_newer(current: Collection[str]) -> bool:
    """Return whether a database has revisions, and this code knows none of them.

    Revisions form one line, so newer code has migrated it beyond the revisions of this code.
    """
    return bool(current) and revisions().isdisjoint(current)


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema to the newest revision; raise ``Conflict`` if it has unknown ones."""
    require_known(MigrationContext.configure(connection).get_current_heads(), revisions())
    command.upgrade(config(connection), "heads")
