"""Revisions of the SQL schema, run by Alembic; part of the package, so that a wheel has them.

Alembic is imported where it is used: without it, the service is ready after a fifth less CPU.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kit import SERVICE_FOLDER
from app.kit.migrations import all_known

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = SERVICE_FOLDER / "migrations" / "sql" / "versions"


def config(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration, with the connection that ``env.py`` is to use."""
    from alembic.config import Config

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
    return frozenset(_named("revision"))


@cache
def heads() -> frozenset[str]:
    """Return the newest of them."""
    return revisions().difference(_named("down_revision"))


def _named(variable: str) -> Iterable[str]:
    """Yield the revisions that a variable has in any of the files."""
    for file in VERSIONS.glob("*.py"):
        for line in ast.parse(file.read_bytes()).body:
            if isinstance(line, ast.Assign | ast.AnnAssign) and line.value:
                names = line.targets if isinstance(line, ast.Assign) else [line.target]
                if variable in map(ast.unparse, names):
                    found = ast.literal_eval(line.value) or ()
                    yield from (found,) if isinstance(found, str) else found


def are_newer(current: Collection[str]) -> bool:
    """Return whether a database has revisions, and this code knows none of them.

    Revisions form one line, so newer code has migrated it beyond the revisions of this code.
    """
    return bool(current) and revisions().isdisjoint(current)


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema to the newest revision; a newer one stays."""
    from alembic import command
    from alembic.migration import MigrationContext

    if all_known(MigrationContext.configure(connection).get_current_heads(), revisions()):
        command.upgrade(config(connection), "heads")
