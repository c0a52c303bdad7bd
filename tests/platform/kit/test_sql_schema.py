"""A schema that is older or newer than the service, and tables that others refer to."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations

from app.kit.errors import Unavailable
from app.kit.migrations.sql import config
from app.kit.storage import engine_of, open_storage
from app.kit.storage.sql import SqlStorage
from app.settings import Settings
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE, create_app
from tests.kit.support import serving


@pytest.fixture
async def empty(empty_database: Settings) -> AsyncIterator[Any]:
    """A database without a schema, open."""
    async with open_storage(empty_database) as storage:
        yield storage


@pytest.mark.usefixtures("revisions")
async def test_an_old_schema_is_recognized(empty: SqlStorage) -> None:
    for or_newer in (False, True):
        with pytest.raises(Unavailable, match="app migrate"):
            await empty.check(or_newer=or_newer)

    await empty.migrate()
    await empty.check()
    await empty.migration(lambda c: command.downgrade(config(c), "base"))

    for or_newer in (False, True):
        with pytest.raises(Unavailable, match="app migrate"):
            await empty.check(or_newer=or_newer)
    with pytest.raises(Unavailable, match="app migrate"):
        await empty.repository(PROBE).latest(limit=1)


@pytest.mark.usefixtures("revisions")
async def test_a_newer_schema_is_recognized_and_served(
    empty_database: Settings, empty: SqlStorage, caplog: pytest.LogCaptureFixture
) -> None:
    await empty.migrate()
    newer = sa.text("UPDATE alembic_version SET version_num = 'newer'")
    await empty.migration(lambda c: c.execute(newer))

    await empty.migrate()
    assert "revisions of other code, which stay: newer" in caplog.text
    with pytest.raises(Unavailable, match="app migrate") as failure:
        await empty.check()
    assert "newer" in failure.value.reason
    with serving(create_app(empty_database)) as url:
        async with httpx2.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.usefixtures("revisions")
async def test_altering_a_table_keeps_what_refers_to_it(empty: SqlStorage) -> None:
    await empty.migrate()
    sample, probe = Sample.new("x"), empty.repository(PROBE)
    await probe.add(sample)
    to_sample = sa.ForeignKey("probe.id", ondelete="CASCADE")

    def refer(connection: sa.Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        comments = operations.create_table("comments", sa.Column("of", sa.Uuid, to_sample))
        connection.execute(sa.insert(comments), {"of": sample.id})

    def alter(connection: sa.Connection) -> Any:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("probe", recreate="auto") as table:
            table.alter_column("content", type_=sa.String(300), existing_nullable=False)
        return connection.execute(sa.text("SELECT count(*) FROM comments")).scalar()

    await empty.migration(refer)

    assert await empty.migration(alter) == 1
    assert await probe.get(sample.id) == sample


def test_a_service_starts_without_alembic(settings: Settings) -> None:
    modules = f"sys, app.main, app.kit.storage.{engine_of(settings)}"
    code = f"import {modules}; sys.exit('alembic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


async def test_migrating_twice_and_at_once_is_safe(empty_database: Settings) -> None:
    async def migrate() -> None:
        async with open_storage(empty_database) as storage:
            await storage.migrate()
            await storage.check()

    await asyncio.gather(*(migrate() for _ in range(4)))
    await migrate()
