"""Work on a SQL database: plain functions of a connection, run in transactions or on snapshots."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from app.kit.errors import Conflict
from app.kit.migrations import sql as migrations
from app.kit.storage.faults import BROKEN, require_version
from app.kit.storage.operations import OPERATION_SECONDS, Storage
from app.kit.storage.sql_errors import broken_rule

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
Run = Callable[[Work[Any]], Awaitable[Any]]


class SqlWork(Storage):
    """The part of a SQL storage that runs work.

    It may run on another thread, and again if a retry is safe, so it must change nothing outside
    the database.
    """

    @abstractmethod
    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        """Return the oldest supported version of the server."""

    async def read(self, work: Work[T]) -> T:
        """Run read-only ``work`` and return its result."""
        return await self.transact(work)

    @abstractmethod
    async def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one transaction and return its result."""

    @abstractmethod
    async def migration(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction without a time limit; migrations exclude each other."""

    @abstractmethod
    def begin_snapshot(self) -> AbstractAsyncContextManager[Run]:
        """Yield a function that runs read-only work on one snapshot of the database."""

    @abstractmethod
    async def dispose(self) -> None:
        """Close every connection, without a time limit."""

    async def migrate(self) -> None:
        with self.translate_errors():
            await self.migration(self._upgrade)

    def _upgrade(self, connection: sa.Connection) -> None:
        found = connection.dialect.server_version_info or ()
        require_version([n for n in found if isinstance(n, int)], self.oldest(connection))
        try:
            migrations.upgrade(connection)
        except sa.exc.IntegrityError as error:
            raise Conflict(BROKEN.format(broken_rule(error))) from None

    async def scan(self, page: sa.Executable) -> AsyncGenerator[Sequence[Any], None]:
        """Yield the rows of all pages of a snapshot; no page is empty.

        ``page`` selects the rows after the id ``after``; the first column is the id.
        """
        after = UUID(int=0)
        async with self.snapshot() as run:
            with self.translate_errors():
                while rows := await _page(run, page, after):
                    yield rows
                    after = rows[-1][0]

    @asynccontextmanager
    async def new_snapshot(self) -> AsyncIterator[Run]:
        stack = AsyncExitStack()
        with self.translate_errors():  # Errors of what is done in the context are not of these.
            async with asyncio.timeout(OPERATION_SECONDS):
                run = await stack.enter_async_context(self.begin_snapshot())
        try:
            yield run
        finally:
            with self.translate_errors():
                await stack.aclose()

    async def close(self) -> None:
        with suppress(TimeoutError):  # If the server hangs, they end with the process.
            async with asyncio.timeout(OPERATION_SECONDS):
                await self.dispose()


async def _page(run: Run, page: sa.Executable, after: UUID) -> Sequence[Any]:
    async with asyncio.timeout(OPERATION_SECONDS):
        rows: Sequence[Any] = await run(lambda c: c.execute(page, {"after": after}).all())
        return rows


def beginning(engine: sa.Engine, *statements: str) -> sa.Engine:
    """Return the engine with statements that begin each transaction."""
    changed = engine.execution_options()

    @sa.event.listens_for(changed, "begin")
    def begin(connection: sa.Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    return changed
