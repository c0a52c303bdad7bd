"""A SQL database with an asynchronous driver."""

import logging
import time
import types
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.kit.settings import ServiceSettings
from app.kit.storage.operations import OPERATION_SECONDS, Pool
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_work import Run, T, Work

RECYCLE_SECONDS = 300

Connect = Callable[[], AbstractContextManager[sa.Connection]]

in_greenlet = AsyncSession().run_sync  # Runs a function in one greenlet; the session is unused.


class AsyncSqlStorage(SqlStorage):
    """An open SQL database on a server.

    Single statements need no greenlet: one is needed to open a connection or to wait for one, and
    then SQLAlchemy raises ``MissingGreenlet``.

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
        _distrust_older(self.engine)

    @abstractmethod
    def is_usable(self, connection: Any, error: BaseException) -> bool:
        """Return whether a driver's connection can serve others after an error."""

    def confirm(self, connection: Any) -> None:
        """Raise an error if what a driver's connection has committed is not durable."""

    async def on_driver(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run ``work`` on a connection of the driver, without a greenlet around it."""
        pooled = await self._checkout()
        try:
            result = await work(pooled.driver_connection)
            self.confirm(pooled.driver_connection)
            return result
        except BaseException as error:
            if not self.is_usable(pooled.driver_connection, error):
                self.give_up(pooled, error)
            raise
        finally:
            if not pooled.is_detached:
                pooled.close()

    async def _checkout(self) -> sa.PoolProxiedConnection:
        """Take a free connection, or wait for one."""
        try:
            return self.engine.pool.connect()
        except sa.exc.MissingGreenlet:
            return await self.async_engine.raw_connection()

    def give_up(self, pooled: sa.PoolProxiedConnection, error: BaseException) -> None:
        """Close a connection that is not usable."""
        pooled.invalidate(error)

    async def transact(self, work: Work[T]) -> T:
        return await self.run(self.transactions.begin, work)

    async def run(self, connect: Connect, work: Work[T]) -> T:
        """Connect, run ``work`` and return its result when all of it is durable, in one greenlet.

        ``AsyncConnection`` would need one each to connect, to begin, to work and to close.
        """

        def connect_and_work(_: object) -> T:
            with connect() as connection:
                driver, result = connection.connection.driver_connection, work(connection)
            self.confirm(driver)
            return result

        return await in_greenlet(connect_and_work)

    @asynccontextmanager
    async def begin_snapshot(self) -> AsyncIterator[Run]:
        async with AsyncEngine(self.snapshots).connect() as connection:
            yield connection.run_sync

    def pool(self) -> Pool:
        used = min(self.in_flight, self.size)
        return Pool(self.size, used, self.in_flight - used)

    async def dispose(self) -> None:
        # The pool would log a traceback if a connection does not close in time.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        await self.async_engine.dispose()


@types.coroutine
def lazily(connect: Callable[..., Awaitable[T]], **options: Any) -> Generator[Any, Any, T]:
    """Connect when this is awaited; of a common coroutine that never is, Python would warn."""
    return (yield from connect(**options).__await__())


def _distrust_older(engine: sa.Engine) -> None:
    """After a connection was given up, replace the older ones, which may hang like it."""
    given_up = 0.0

    @sa.event.listens_for(engine, "connect")
    def date(connection: Any, record: Any) -> None:
        record.info["opened"] = time.monotonic()

    @sa.event.listens_for(engine, "invalidate")
    def give_up(connection: Any, record: Any, error: BaseException | None) -> None:
        nonlocal given_up
        if not isinstance(error, sa.exc.DisconnectionError):  # It is not one that we replace.
            given_up = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def replace(connection: Any, record: Any, proxy: object) -> None:
        if record.info["opened"] < given_up:
            raise sa.exc.DisconnectionError
