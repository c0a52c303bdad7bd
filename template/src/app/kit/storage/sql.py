"""A SQL database: what the repositories of every feature need of it."""

import asyncio
import sys
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from app.kit.features import Feature
from app.kit.migrations import sql as migrations
from app.kit.storage.operations import OPERATION_SECONDS, Fault, require_version, unavailable
from app.kit.storage.sql_snapshots import SqlSnapshots
from app.kit.storage.sql_work import T, Work

ATTEMPTS = 3
BACKOFF_SECONDS = 0.02

CURRENT_REVISIONS = sa.text("SELECT version_num FROM alembic_version")
NO_REVISIONS = sa.text("SELECT 1 WHERE 1 = 0")  # The table is made by the first.


class SqlStorage(SqlSnapshots):
    """An open SQL database.

    ``work`` is a plain function of a connection. It may run on another thread, and again where
    the database says that this is safe, so it changes nothing but the database.

    Of the operations, ``slots`` are under way at a time; the others wait in the order they came.
    """

    returns_changes = False
    """Whether ``fetch`` can run the statements of ``at_once``."""

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
    async def migration(self, work: Work[T]) -> T:
        """Do ``work`` in a transaction that no other migration runs beside, without haste."""

    @abstractmethod
    async def dispose(self) -> None:
        """Close every connection, however long that takes."""

    def repository(self, feature: Feature) -> Any:
        """Return the feature's ``Repository`` on this database."""
        return feature.load("sql").Repository(self)

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
