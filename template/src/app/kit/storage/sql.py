"""A SQL database: what the repositories of every feature need of it."""

import asyncio
import sys
from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from app.kit.features import Feature
from app.kit.migrations import sql as migrations
from app.kit.storage.operations import OPERATION_SECONDS, BoundedStorage, Fault, Pool, unavailable

ATTEMPTS = 3
BACKOFF_SECONDS = 0.02

CURRENT_REVISIONS = sa.text("SELECT version_num FROM alembic_version")
NO_REVISIONS = sa.text("SELECT 1 WHERE 1 = 0")  # The table is made by the first.

T = TypeVar("T")


class Base(DeclarativeBase):
    """The schema of all features; migrations are made from it."""

    type_annotation_map: ClassVar = {datetime: sa.DateTime(timezone=True)}
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SqlStorage(BoundedStorage):
    """An open SQL database.

    ``readers`` and ``writers`` commit each statement by itself; they may be the same engine. Of
    its operations, ``slots`` are under way at a time, and the others wait in the order they came.
    """

    def __init__(
        self, readers: AsyncEngine, writers: AsyncEngine, slots: int = sys.maxsize
    ) -> None:
        self.readers, self.writers = readers, writers
        self._slots = asyncio.Semaphore(slots)

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection whose statements happen together or not at all."""

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection that only reads, and sees the database as it was at one moment."""

    @abstractmethod
    def migrating(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection in a transaction that no other migration runs beside."""

    def repository(self, feature: Feature) -> Any:
        """Return the feature's ``Repository`` on this database."""
        return feature.load("sql").Repository(self)

    def pool(self) -> Pool:
        """Return how much of the pools is in use now; a connection that is being opened, too."""
        pools = [p for p in {self.readers.pool, self.writers.pool} if isinstance(p, QueuePool)]
        used = sum(pool.checkedout() for pool in pools)
        return Pool(sum(pool.size() for pool in pools), used, max(0, self.in_flight - used))

    async def fetch(self, statement: sa.Executable, **parameters: Any) -> Sequence[Any]:
        """Return the rows of one statement that only reads."""

        def run() -> Sequence[sa.Row[Any]]:
            with self.readers.sync_engine.connect() as connection:
                return connection.execute(statement, parameters).all()

        # One greenlet for the whole: AsyncConnection takes one each to connect, execute and close.
        return await greenlet_spawn(run)

    async def execute(self, statement: sa.Executable, **parameters: Any) -> int:
        """Run one statement, durable when this returns, and return the number of rows it met."""

        def run() -> int:
            with self.writers.sync_engine.connect() as connection:
                return connection.execute(statement, parameters).rowcount

        return await greenlet_spawn(run)

    async def scan(self, page: sa.Executable) -> AsyncGenerator[Sequence[Any], None]:
        """Yield the rows of all pages, each not empty, as they were at one moment.

        ``page`` selects what comes next to the id ``after``, its rows beginning with theirs.
        """
        after = UUID(int=0)
        with self.translate_errors():
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(OPERATION_SECONDS):
                    connection = await stack.enter_async_context(self.snapshot())
                while rows := await self._page(connection, page, after):
                    yield rows
                    after = rows[-1][0]

    async def _page(
        self, connection: AsyncConnection, page: sa.Executable, after: UUID
    ) -> Sequence[Any]:
        async with asyncio.timeout(OPERATION_SECONDS):
            return (await connection.execute(page, {"after": after})).all()

    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Also run ``work`` again, where the database says that this is safe."""
        with self.translate_errors():
            async with asyncio.timeout(OPERATION_SECONDS), self._slots:
                for attempt in range(ATTEMPTS - 1):
                    try:
                        return await work()
                    except Exception as error:
                        if self.fault(error) is not Fault.TRANSIENT:
                            raise
                    await asyncio.sleep(BACKOFF_SECONDS * 2**attempt)
                return await work()

    async def check(self, *, or_newer: bool = False) -> None:
        """Raise ``Unavailable`` unless the database answers and has the schema of this code.

        With ``or_newer``, one that newer code has brought on does as well.
        """
        needed = migrations.heads()
        ask = CURRENT_REVISIONS if needed else NO_REVISIONS
        current = {revision for (revision,) in await self.bounded(lambda: self.fetch(ask))}
        if current != needed and not (or_newer and migrations.are_newer(current)):
            reason = f"It has: {sorted(current)}. Needed: {sorted(needed)}."
            raise unavailable(Fault.SCHEMA, reason)

    async def migrate(self) -> None:
        """Bring the schema to the newest revision; a newer one stays."""
        with self.translate_errors():
            async with self.migrating() as connection:
                await connection.run_sync(migrations.upgrade)

    async def close(self) -> None:
        """Close every connection."""
        with suppress(TimeoutError):  # Those to a server that hangs end with the process.
            async with asyncio.timeout(OPERATION_SECONDS):
                await self.readers.dispose()
                await self.writers.dispose()
