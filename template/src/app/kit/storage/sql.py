"""A SQL database, as repositories use it."""

import asyncio
import sys
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa

from app.kit.migrations import sql as migrations
from app.kit.storage.faults import Fault, unavailable
from app.kit.storage.operations import OPERATION_SECONDS
from app.kit.storage.sql_statements import Bound, Change, Compiled, compiled
from app.kit.storage.sql_work import SqlWork, T

ATTEMPTS = 3
BACKOFF_SECONDS = 0.02

CURRENT_REVISIONS = sa.text("SELECT version_num FROM alembic_version")
NO_REVISIONS = sa.text("SELECT 1 WHERE 1 = 0")  # The first revision creates the table.


class SqlStorage(SqlWork):
    """An open SQL database.

    Statements are compiled once, and then go to the driver: SQLAlchemy's work on each execution
    costs more than the driver's.

    At most ``slots`` operations run at a time; the others wait in FIFO order.
    """

    module = "sql"
    engine: sa.Engine
    broken_rule: ClassVar[type[Exception]]
    """The driver's error for rows that break a constraint."""

    def __init__(self, slots: int = sys.maxsize) -> None:
        self._slots = asyncio.Semaphore(slots)

    async def fetch(self, statement: sa.Executable, /, **parameters: Any) -> Sequence[Any]:
        """Return the rows of one read-only statement, as tuples."""
        if made := self.compiled(statement, parameters):
            return made.rows(await self._call(self.select, made.bind(parameters)))
        return await self.read(lambda connection: connection.execute(statement, parameters).all())

    async def execute(self, statement: sa.Executable, /, **parameters: Any) -> int:
        """Run one statement, durable when this returns; return the number of rows affected."""
        if made := self.compiled(statement, parameters):
            return await self._call(self.write, made.bind(parameters))
        return await self.transact(lambda c: c.execute(statement, parameters).rowcount)

    async def change(
        self, change: Change, get: sa.Select[Any], this: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[int, Sequence[Any]]:
        """Set the columns ``new`` of the row that the parameters ``this`` say, in one transaction.

        Return how many rows that changed, one or none, and what ``get`` selects then.
        """
        values = {**this, **new}
        update, select = self.compiled(change.update, values), self.compiled(get, this)
        if update and select:
            calls = update.bind(values), select.bind(this)
            changed, rows = await self._call(self.update_and_select, *calls)
            return changed, select.rows(rows)
        return await self.transact(
            lambda c: (c.execute(change.update, values).rowcount, c.execute(get, this).all())
        )

    def compiled(self, statement: sa.Executable, names: Iterable[str]) -> Compiled | None:
        """Return a statement with parameters of these names, if it can go to the driver."""
        return compiled(statement, tuple(names), self.engine.dialect)

    async def _call(self, method: Callable[..., Awaitable[T]], *calls: Bound) -> T:
        try:
            return await method(*calls)
        except self.broken_rule as error:
            raise sa.exc.IntegrityError(calls[0].sql, None, error) from error

    @abstractmethod
    async def select(self, call: Bound) -> Sequence[Any]:
        """Return the driver's rows of a read-only statement."""

    @abstractmethod
    async def write(self, call: Bound) -> int:
        """Return the number of rows that a statement, durable when this returns, affected."""

    @abstractmethod
    async def update_and_select(self, update: Bound, select: Bound) -> tuple[int, Sequence[Any]]:
        """Return how many rows an update changed, and the driver's rows after it.

        It is one transaction, durable when this returns.
        """

    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Also retry ``work`` after a transient fault."""
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
        needed = migrations.heads()
        ask = CURRENT_REVISIONS if needed else NO_REVISIONS
        current = {revision for (revision,) in await self.bounded(lambda: self.fetch(ask))}
        if current != needed and not (or_newer and migrations.are_newer(current)):
            reason = f"It has: {sorted(current)}. Needed: {sorted(needed)}."
            raise unavailable(Fault.SCHEMA, reason)
