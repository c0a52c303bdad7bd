"""SQLite by the standard library's driver, on threads."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import DATETIME

from app.kit.ids import to_uuid
from app.kit.settings import ServiceSettings
from app.kit.storage import sqlite_errors, sqlite_url
from app.kit.storage.operations import Pool
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_statements import Bound
from app.kit.storage.sql_work import Run, T, Work, beginning
from app.kit.storage.sqlite_threads import Threads, check_time, is_over
from app.kit.storage.sqlite_writer import BEGIN, Writer

MIGRATION_SECONDS = 600
LOCK_SECONDS = 0.1  # SQLite does not ask ``is_over`` while it waits for a lock.
INSTRUCTIONS = 10_000  # SQLite calls ``is_over`` each time it has executed so many.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


class Storage(SqlStorage):
    """An open SQLite file: many threads read, one writes, so that writers queue."""

    system = "sqlite"
    broken_rule = sqlite3.IntegrityError
    fault = staticmethod(sqlite_errors.fault)

    def __init__(self, settings: ServiceSettings) -> None:
        super().__init__()
        self.engine = engine = _engine(sqlite_url.parse(settings.database_url.get_secret_value()))
        writing = beginning(engine, BEGIN)
        # A table is altered by copying it; dropping the old one must not cascade.
        self._migrating = beginning(engine, "PRAGMA foreign_keys=OFF", BEGIN)
        self._snapshot = beginning(engine, "BEGIN")
        self._readers = Threads(settings.database_pool_size, engine.connect)
        self._writer = Writer(writing.connect)

    async def select(self, call: Bound) -> Sequence[Any]:
        def fetch(connection: sa.Connection) -> Sequence[Any]:
            driver: Any = connection.connection.driver_connection
            rows: Sequence[Any] = driver.execute(*call).fetchall()
            return rows

        return await self._readers.run(fetch)

    async def write(self, call: Bound) -> int:
        return await self._writer.change(lambda driver: int(driver.execute(*call).rowcount))

    async def update_and_select(self, update: Bound, select: Bound) -> tuple[int, Sequence[Any]]:
        return await self._writer.change(
            lambda driver: (
                driver.execute(*update).rowcount,
                driver.execute(*select).fetchall(),
            )
        )

    async def read(self, work: Work[T]) -> T:
        return await self._readers.run(partial(_in_transaction, work))

    async def transact(self, work: Work[T]) -> T:
        return await self._writer.run(partial(_in_transaction, work))

    @asynccontextmanager
    async def begin_snapshot(self) -> AsyncIterator[Run]:
        async with aclosing(Threads(1, self._snapshot.connect)) as thread:
            yield thread.run

    async def migration(self, work: Work[T]) -> T:
        async with aclosing(Threads(1, self._migrating.connect)) as thread:
            return await thread.run(partial(_in_transaction, work), MIGRATION_SECONDS)

    def pool(self) -> Pool:
        threads = (self._readers, self._writer)
        used = sum(min(t.calls, t.size) for t in threads)
        return Pool(sum(t.size for t in threads), used, sum(t.calls for t in threads) - used)

    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        return (3, 35)

    async def dispose(self) -> None:
        await self._readers.aclose()
        await self._writer.aclose()


def _in_transaction(work: Work[T], connection: sa.Connection) -> T:
    with connection.begin():
        result = work(connection)
        check_time()  # A cancelled call is not committed.
        return result


class _Uuid(sa.Uuid[UUID]):
    """An id in hexadecimal."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return to_uuid


class _UtcDateTime(DATETIME):
    """A time in UTC; SQLite does not store the offset."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        # Parsing first and then setting the zone would take six times as long.
        return lambda text: text and datetime.fromisoformat(f"{text}+00:00")


class _Decimal(sa.Numeric[Decimal]):
    """An exact decimal number, stored as an integer of its smallest unit."""

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return lambda value: None if value is None else int(value.scaleb(self.scale or 0))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        unit = Decimal(1).scaleb(-(self.scale or 0))
        return lambda number: None if number is None else number * unit


def _engine(path: str) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path),
        connect_args={"isolation_level": None, "timeout": LOCK_SECONDS},
        hide_parameters=True,
        poolclass=sa.NullPool,  # A thread keeps its connection.
    )
    types = {sa.DateTime: _UtcDateTime, sa.Numeric: _Decimal, sa.Uuid: _Uuid}
    engine.dialect.colspecs = {**engine.dialect.colspecs, **types}
    sa.event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, _: Any) -> None:
    connection.set_progress_handler(is_over, INSTRUCTIONS)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:  # Another process may be creating the log of a new file.
        connection.close()
        raise
