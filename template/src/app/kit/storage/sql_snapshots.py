"""Snapshots of a SQL database, read page by page."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kit.storage.operations import OPERATION_SECONDS, BoundedStorage
from app.kit.storage.sql_work import Run


class SqlSnapshots(BoundedStorage):
    """The part of a SQL storage that reads whole tables."""

    _shared: Run | None = None

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[Run]:
        """Yield a function that runs read-only work on one snapshot of the database."""

    async def scan(self, page: sa.Executable) -> AsyncGenerator[Sequence[Any], None]:
        """Yield the rows of all pages of a snapshot; no page is empty.

        ``page`` selects the rows after the id ``after``; the first column is the id.
        """
        after = UUID(int=0)
        async with nullcontext(self._shared) if self._shared else self._open_snapshot() as run:
            with self.translate_errors():
                while rows := await self._page(run, page, after):
                    yield rows
                    after = rows[-1][0]

    @asynccontextmanager
    async def one_snapshot(self) -> AsyncIterator[None]:
        """Have all scans in the context read one snapshot of the database."""
        async with self._open_snapshot() as self._shared:
            try:
                yield
            finally:
                self._shared = None

    @asynccontextmanager
    async def _open_snapshot(self) -> AsyncIterator[Run]:
        """Errors of what is done in the context are not the database's."""
        stack = AsyncExitStack()
        with self.translate_errors():
            async with asyncio.timeout(OPERATION_SECONDS):
                run = await stack.enter_async_context(self.snapshot())
        try:
            yield run
        finally:
            with self.translate_errors():
                await stack.aclose()

    async def _page(self, run: Run, page: sa.Executable, after: UUID) -> Sequence[Any]:
        async with asyncio.timeout(OPERATION_SECONDS):
            rows: Sequence[Any] = await run(lambda c: c.execute(page, {"after": after}).all())
            return rows
