"""A SQL database: what the repositories of every feature need of it."""

import asyncio
import sys
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from app.kit.features import Feature
from app.kit.migrations import sql as migrations
from app.kit.storage.operations import (
    OPERATION_SECONDS,
    BoundedStorage,
    Fault,
    require_version,
    unavailable,
)

ATTEMPTS = 3
BACKOFF_SECONDS = 0.02

CURRENT_REVISIONS = sa.text("SELECT version_num FROM alembic_version")
NO_REVISIONS = sa.text("SELECT 1 WHERE 1 = 0")  # The table is made by the first.

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
Run = Callable[[Work[Any]], Awaitable[Any]]


def beginning(engine: sa.Engine, *statements: str) -> sa.Engine:
    """Return the engine, its transactions beginning with the statements."""
    changed = engine.execution_options()

    @sa.event.listens_for(changed, "begin")
    def begin(connection: sa.Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    return changed


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

    ``work`` is a plain function of a connection. It may run on another thread, and again where
    the database says that this is safe, so it changes nothing but the database.

    Of the operations, ``slots`` are under way at a time; the others wait in the order they came.
    """

    _moment: Run | None = None

    def __init__(self, slots: int = sys.maxsize) -> None:
        self._slots = asyncio.Semaphore(slots)

    @abstractmethod
    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        """Return the oldest version of the server that does."""

    @abstractmethod
    async def fetch(self, statement: sa.Executable, **parameters: Any) -> Sequence[Any]:
        """Return the rows of one statement that only reads."""

    @abstractmethod
    async def execute(self, statement: sa.Executable, **parameters: Any) -> int:
        """Run one statement, durable when this returns, and return the number of rows it met."""

    @abstractmethod
    async def transact(self, work: Work[T]) -> T:
        """Return what ``work`` returns; its statements happen together or not at all."""

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[Run]:
        """Give what runs work that only reads, and sees the database as it was at one moment."""

    @abstractmethod
    async def migration(self, work: Work[T]) -> T:
        """Do ``work`` in a transaction that no other migration runs beside, without haste."""

    @abstractmethod
    async def dispose(self) -> None:
        """Close every connection, however long that takes."""

    def repository(self, feature: Feature) -> Any:
        """Return the feature's ``Repository`` on this database."""
        return feature.load("sql").Repository(self)

    async def scan(self, page: sa.Executable) -> AsyncGenerator[Sequence[Any], None]:
        """Yield the rows of all pages, each not empty, as they were at one moment.

        ``page`` selects what comes next to the id ``after``, its rows beginning with theirs.
        """
        after = UUID(int=0)
        async with nullcontext(self._moment) if self._moment else self._open_snapshot() as run:
            with self.translate_errors():
                while rows := await self._page(run, page, after):
                    yield rows
                    after = rows[-1][0]

    @asynccontextmanager
    async def one_moment(self) -> AsyncIterator[None]:
        """Have all scans within, one after another, see the database as it was at one moment."""
        async with self._open_snapshot() as self._moment:
            try:
                yield
            finally:
                self._moment = None

    @asynccontextmanager
    async def _open_snapshot(self) -> AsyncIterator[Run]:
        with self.translate_errors():
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(OPERATION_SECONDS):
                    run = await stack.enter_async_context(self.snapshot())
                yield run

    async def _page(self, run: Run, page: sa.Executable, after: UUID) -> Sequence[Any]:
        async with asyncio.timeout(OPERATION_SECONDS):
            rows: Sequence[Any] = await run(lambda c: c.execute(page, {"after": after}).all())
            return rows

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
            await self.migration(self._upgrade)

    def _upgrade(self, connection: sa.Connection) -> None:
        found = connection.dialect.server_version_info or ()
        require_version([n for n in found if isinstance(n, int)], self.oldest(connection))
        migrations.upgrade(connection)

    async def close(self) -> None:
        """Close every connection."""
        with suppress(TimeoutError):  # Those to a server that hangs end with the process.
            async with asyncio.timeout(OPERATION_SECONDS):
                await self.dispose()
