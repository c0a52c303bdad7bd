"""PostgreSQL through asyncpg."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa

from app.kit.settings import ServiceSettings
from app.kit.storage import postgres_errors, postgres_url
from app.kit.storage.postgres_changes import at_once
from app.kit.storage.postgres_connect import LIMIT, Connector
from app.kit.storage.sql_async import AsyncSqlStorage, lazily
from app.kit.storage.sql_statements import Bound, Change, Compiled
from app.kit.storage.sql_work import T, Work

MIGRATION_LOCK = 0x4E6F746573


class Storage(AsyncSqlStorage):
    """An open PostgreSQL database."""

    system = "postgresql"
    broken_rule = asyncpg.IntegrityConstraintViolationError
    fault = staticmethod(postgres_errors.fault)

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = postgres_url.parse(settings.database_url.get_secret_value())
        cache = {"prepared_statement_cache_size": arguments.get("statement_cache_size", 100)}
        self._connector = Connector(arguments)
        self._given_up = set[asyncio.Task[None]]()
        super().__init__(
            settings,
            "postgresql+asyncpg://",
            async_creator=lambda **_: lazily(self._connector.connect),
            connect_args=cache,
            isolation_level="AUTOCOMMIT",
        )
        self.engine.dialect.supports_native_decimal = True  # As asyncpg does.
        sa.event.listen(self.engine, "do_connect", self._connect)
        sa.event.listen(self.engine, "checkout", _refuse_closed)
        sa.event.listen(self.engine, "invalidate", self._invalidated)
        sa.event.listen(self.engine, "begin", self._limit)
        sa.event.listen(self.engine, "handle_error", postgres_errors.leave_read_only)
        self.transactions = self.engine.execution_options(isolation_level="READ COMMITTED")
        self.snapshots = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def select(self, call: Bound) -> Sequence[Any]:
        return await self.on_driver(lambda connection: connection.fetch(call.sql, *call.values))

    async def write(self, call: Bound) -> int:
        return _count(await self.on_driver(lambda c: c.execute(call.sql, *call.values)))

    async def update_and_select(self, update: Bound, select: Bound) -> tuple[int, Sequence[Any]]:
        async def work(connection: Any) -> tuple[int, Sequence[Any]]:
            await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            try:
                changed = _count(await connection.execute(update.sql, *update.values))
                rows = await connection.fetch(select.sql, *select.values)
                await connection.execute("COMMIT")
                return changed, rows
            except asyncpg.PostgresError:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise

        return await self.on_driver(work)

    async def change(
        self, change: Change, get: sa.Select[Any], this: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[int, Sequence[Any]]:
        """Try it in one statement first, which changes nothing if the row changes just now."""
        statement, values = at_once(change, tuple(new)), {f"new_{n}": new[n] for n in new}
        if rows := await self.fetch(statement, **this, **values):
            return 1, rows
        return await super().change(change, get, this, new)

    def compiled(self, statement: sa.Executable, names: Iterable[str]) -> Compiled | None:
        """Do the same; behind a pooler, the limit of time needs a transaction."""
        return None if self._connector.is_pooled else super().compiled(statement, names)

    def confirm(self, connection: Any) -> None:
        self._connector.require_confirmed(connection)

    async def migration(self, work: Work[T]) -> T:
        def alone(connection: sa.Connection) -> T:
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            return work(connection)

        return await self.transact(alone)

    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        return (13,)

    def is_usable(self, connection: Any, error: BaseException) -> bool:
        # After a cancellation, a statement may still run.
        is_answer = isinstance(error, asyncpg.PostgresError)
        return is_answer and not postgres_errors.is_read_only(error)

    def give_up(self, pooled: sa.PoolProxiedConnection, error: BaseException) -> None:
        if isinstance(error, asyncpg.PostgresError):
            super().give_up(pooled, error)
        else:
            self._give_up(pooled.driver_connection)
            pooled.detach()

    def _give_up(self, connection: Any) -> None:
        """Close a connection whose statement may still run."""
        task = asyncio.create_task(self._connector.give_up(connection))
        self._given_up.add(task)
        task.add_done_callback(self._given_up.discard)

    def _invalidated(self, connection: Any, record: object, error: BaseException | None) -> None:
        """Do the same in a transaction, before SQLAlchemy waits for the server to close it."""
        if isinstance(error, asyncio.CancelledError):
            self._give_up(connection.driver_connection)

    def _connect(self, dialect: sa.Dialect, record: Any, args: Any, options: Any) -> Any:
        """Connect again if the first connection shows that a pooler is in between."""
        if not self._connector.is_pooled:
            connection = dialect.connect(**options)
            if not self._connector.is_pooled:
                return connection
            connection.close()
        return dialect.connect(**options | {"prepared_statement_cache_size": 0})

    def _limit(self, connection: sa.Connection) -> None:
        if self._connector.is_pooled:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {LIMIT}")


def _count(status: str) -> int:
    count = status.rpartition(" ")[2]
    return int(count) if count.isdecimal() else -1  # It is no number after a CREATE.


def _refuse_closed(connection: Any, record: object, proxy: object) -> None:
    """Have the pool replace a connection that the server has closed.

    The event loop has seen the closing already, so this pre-ping costs no round trip.
    """
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError
