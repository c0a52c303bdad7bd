"""The schema: the service's revisions lead anywhere from anywhere, and agree with the models."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.kit.migrations.sql import config, heads, revisions
from app.kit.startup import retry_until_available
from app.kit.storage import open_storage
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_tables import Base
from app.settings import Settings
from tests.kit.support import new_database

PATIENCE_SECONDS = 30


@pytest.fixture
async def empty(empty_database: Settings) -> AsyncIterator[Any]:
    """A database without a schema, open."""
    async with open_storage(empty_database) as storage:
        yield storage


def up_down_and_up(revision: str) -> Callable[[sa.Connection], None]:
    def steps(connection: sa.Connection) -> None:
        command.upgrade(config(connection), revision)
        command.downgrade(config(connection), "-1")
        command.upgrade(config(connection), revision)

    return steps


async def test_every_revision_goes_up_down_and_up_again(empty: SqlStorage) -> None:
    revisions = [r.revision for r in ScriptDirectory.from_config(config()).walk_revisions()]

    for revision in reversed(revisions):
        await empty.migration(up_down_and_up(revision))

    await empty.check()


def differences(connection: sa.Connection) -> Any:
    return compare_metadata(MigrationContext.configure(connection), Base.metadata)


async def test_models_and_revisions_agree(empty: SqlStorage) -> None:
    await empty.migrate()

    assert await empty.migration(differences) == []


def test_at_most_one_revision_is_the_newest() -> None:
    assert len(heads()) <= 1


def test_alembic_finds_the_same_revisions() -> None:
    script = ScriptDirectory.from_config(config())

    assert revisions() == {each.revision for each in script.walk_revisions()}
    assert heads() == {*script.get_heads()}


class Interrupted(BaseException):
    """The process is asked to end."""


async def migrate_up_to(storage: SqlStorage, last: int) -> bool:
    """Migrate until the end of a statement that changes anything; return whether it came."""
    changes = 0

    def end(*arguments: Any) -> None:
        nonlocal changes
        changes += not arguments[2].lstrip().startswith(("SELECT", "PRAGMA", "SHOW", "DESCRIBE"))
        if changes == last:
            arguments[1].close()  # As the end of a process would; it may hold a lock.
            raise Interrupted

    sa.event.listen(sa.Engine, "after_cursor_execute", end)
    try:
        await storage.migrate()
    except (Interrupted, sa.exc.PendingRollbackError):  # Alembic then drops its copy of a table.
        return True
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", end)
    return False


def test_an_interrupted_migration_can_be_run_again() -> None:
    """Whichever statement was the last; some databases undo what was done, and some keep it."""

    async def interrupt_and_repeat(settings: Settings, last: int) -> bool:
        async with open_storage(settings) as storage:
            sql: Any = storage
            interrupted = await migrate_up_to(sql, last)
            await retry_until_available(sql.migrate, PATIENCE_SECONDS, print)
            await sql.check()
            assert await sql.migration(differences) == []
        return interrupted

    for last in count(1):
        with new_database() as settings:
            if not asyncio.run(interrupt_and_repeat(settings, last)):
                break
    assert last > 1
