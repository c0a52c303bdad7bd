"""SQLite through aiosqlite."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_

from app.kit.settings import ServiceSettings
from app.kit.storage import sqlite_errors, sqlite_url
from app.kit.storage.operations import OPERATION_SECONDS, Fault
from app.kit.storage.sql import SqlStorage

MIGRATION_SECONDS = 600
PRAGMAS = (
    f"busy_timeout={int(OPERATION_SECONDS * 750)}",  # Gives up before it is given up.
    "synchronous=FULL",
    "foreign_keys=ON",
)


class Storage(SqlStorage):
    """An open SQLite file: many connections read, one writes, so that writers queue."""

    system = "sqlite"

    def __init__(self, settings: ServiceSettings) -> None:
        path = sqlite_url.parse(settings.database_url.get_secret_value())
        super().__init__(
            readers=_engine(path, settings.database_pool_size, skip_autocommit_rollback=True),
            writers=_engine(path, 1),
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self.writers.begin() as connection:
            # A transaction that reads before it writes would fail if another wrote in between.
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        async with self.readers.connect() as connection:
            try:
                await connection.exec_driver_sql("BEGIN")
                yield connection
            finally:
                await connection.invalidate()  # The transaction ends with it.

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        # A table is altered by copying it; dropping the old one must not delete what refers to it.
        async with self.writers.connect() as connection:
            await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            await connection.exec_driver_sql(f"PRAGMA busy_timeout={MIGRATION_SECONDS * 1000}")
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                await connection.commit()
            finally:
                await connection.rollback()
                await connection.invalidate()  # The next one is set up as it should be.

    def fault(self, error: Exception) -> Fault | None:
        return sqlite_errors.fault(error)


class _UtcDateTime(DATETIME):
    """A time in UTC, of which SQLite forgets that it is."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        parse: Any = super().result_processor(dialect, coltype)
        return lambda text: text and parse(text).replace(tzinfo=UTC)


def _engine(path: str, connections: int, **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=path),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=OPERATION_SECONDS,
        **options,
    )
    engine.dialect.colspecs = {**engine.dialect.colspecs, sa.DateTime: _UtcDateTime}
    sa.event.listen(engine.sync_engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    _use_write_ahead_log(cursor)
    cursor.close()


def _use_write_ahead_log(cursor: Any) -> None:
    """Make the file one that is read while it is written; of a new file, others may do so now.

    SQLite does not wait for them here, whatever its ``busy_timeout``.
    """
    end = time.monotonic() + OPERATION_SECONDS / 2
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            await_(asyncio.sleep(0.01))
