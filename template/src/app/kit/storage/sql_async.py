"""A SQL database with an asynchronous driver."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.kit.settings import ServiceSettings
from app.kit.storage.operations import OPERATION_SECONDS, Pool
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_async_hosts import distrust_older
from app.kit.storage.sql_work import Run, T, Work

RECYCLE_SECONDS = 300

Connect = Callable[[], AbstractContextManager[sa.Connection]]

in_greenlet = AsyncSession().run_sync  # Runs a function in one greenlet; the session is unused.


class AsyncSqlStorage(SqlStorage):
    """An open SQL database on a server.

    ``engine`` is in autocommit mode. ``transactions`` and ``snapshots`` are the same engine with
    another isolation; the subclass sets them.
    """

    transactions: sa.Engine
    snapshots: sa.Engine

    def __init__(self, settings: ServiceSettings, url: sa.URL | str, **options: Any) -> None:
        self.size = settings.database_pool_size
        super().__init__(slots=self.size)  # The pool is not FIFO; waiters could starve.
        self.async_engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=self.size,
            max_overflow=0,
            pool_timeout=OPERATION_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
            **options,
        )
        self.engine = self.async_engine.sync_engine
        distrust_older(self.engine)

    async def fetch(self, statement: sa.Executable, /, **parameters: Any) -> Sequence[Any]:
        return await self.run(self.engine.connect, lambda c: c.execute(statement, parameters).all())

    async def execute(self, statement: sa.Executable, /, **parameters: Any) -> int:
        return await self.run(
            self.engine.connect, lambda c: c.execute(statement, parameters).rowcount
        )

    async def transact(self, work: Work[T]) -> T:
        return await self.run(self.transactions.begin, work)

    async def run(self, connect: Connect, work: Work[T]) -> T:
        """Run ``work`` on a connection, and return its result when all of it is durable."""
        return await run(connect, work)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Run]:
        async with AsyncEngine(self.snapshots).connect() as connection:
            yield connection.run_sync

    def pool(self) -> Pool:
        used = min(self.in_flight, self.size)
        return Pool(self.size, used, self.in_flight - used)

    async def dispose(self) -> None:
        # The pool would log a traceback if a connection does not close in time.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        await self.async_engine.dispose()


async def run(connect: Connect, work: Work[T]) -> T:
    """Connect, run ``work`` and return its result, all in one greenlet.

    ``AsyncConnection`` would need one each to connect, to begin, to work and to close.
    """

    def connect_and_work(_: object) -> T:
        with connect() as connection:
            return work(connection)

    return await in_greenlet(connect_and_work)
