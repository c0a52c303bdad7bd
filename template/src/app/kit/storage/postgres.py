"""PostgreSQL through asyncpg."""

import asyncio
import types
from collections.abc import Generator, Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa

from app.kit.settings import ServiceSettings
from app.kit.storage import postgres_errors, postgres_url
from app.kit.storage.operations import Fault
from app.kit.storage.postgres_connect import LIMIT, Connector
from app.kit.storage.postgres_plain import Plain, plain_statement
from app.kit.storage.sql_async import AsyncSqlStorage, Connect
from app.kit.storage.sql_work import T, Work

MIGRATION_LOCK = 0x4E6F746573
READ_ONLY = "25006"


class Storage(AsyncSqlStorage):
    """An open PostgreSQL database."""

    system = "postgresql"
    returns_changes = True

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = postgres_url.parse(settings.database_url.get_secret_value())
        cache = {"prepared_statement_cache_size": arguments.get("statement_cache_size", 100)}
        self._connector = Connector(arguments)
        self._given_up = set[asyncio.Task[None]]()
        super().__init__(
            settings,
            "postgresql+asyncpg://",
            async_creator=lambda **_: _connecting(self._connector),
            connect_args=cache,
            isolation_level="AUTOCOMMIT",
        )
        sa.event.listen(self.engine, "do_connect", self._connect)
        sa.event.listen(self.engine, "checkout", _refuse_closed)
        sa.event.listen(self.engine, "invalidate", self._invalidated)
        sa.event.listen(self.engine, "begin", self._limit)
        sa.event.listen(self.engine, "handle_error", _leave_read_only)
        self.transactions = self.engine.execution_options(isolation_level="READ COMMITTED")
        self.snapshots = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def fetch(self, statement: sa.Executable, /, **parameters: Any) -> Sequence[Any]:
        if self._connector.is_pooled:
            return await self.transact(lambda c: c.execute(statement, parameters).all())
        if plain := plain_statement(statement, tuple(parameters), self.engine.dialect):
            rows: Sequence[Any] = await self._run("fetch", plain, parameters)
            return rows
        return await super().fetch(statement, **parameters)

    async def execute(self, statement: sa.Executable, /, **parameters: Any) -> int:
        if self._connector.is_pooled:
            return await self.transact(lambda c: c.execute(statement, parameters).rowcount)
        if plain := plain_statement(statement, tuple(parameters), self.engine.dialect):
            status: str = await self._run("execute", plain, parameters)
            return int(status.rpartition(" ")[2])
        return await super().execute(statement, **parameters)

    async def run(self, connect: Connect, work: Work[T]) -> T:
        result, used = await super().run(
            connect, lambda c: (work(c), c.connection.driver_connection)
        )
        self._connector.require_confirmed(used)
        return result

    async def migration(self, work: Work[T]) -> T:
        def alone(connection: sa.Connection) -> T:
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            return work(connection)

        return await self.transact(alone)

    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        return (13,)

    def fault(self, error: Exception) -> Fault | None:
        return postgres_errors.fault(error)

    async def _run(self, method: str, plain: Plain, parameters: dict[str, Any]) -> Any:
        """Run a statement by the driver's own method, without a greenlet around it."""
        pooled = await self._checkout()
        try:
            call = getattr(pooled.driver_connection, method)
            result = await call(plain.sql, *plain.arguments(parameters))
            self._connector.require_confirmed(pooled.driver_connection)
            return result
        except asyncpg.IntegrityConstraintViolationError as error:
            raise sa.exc.IntegrityError(plain.sql, None, error) from error
        except asyncpg.PostgresError as error:
            if error.sqlstate == READ_ONLY:  # Another server is the primary.
                pooled.invalidate()
            raise sa.exc.DBAPIError(plain.sql, None, error) from error
        except BaseException:  # Such as a cancellation.
            self._give_up(pooled.driver_connection)
            pooled.detach()
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


@types.coroutine
def _connecting(connector: Connector) -> Generator[Any, Any, Any]:
    """Connect when this is awaited; of a common coroutine that never is, Python would warn."""
    return (yield from connector.connect().__await__())


def _leave_read_only(context: sa.ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", "") == READ_ONLY:
        context.is_disconnect = True


def _refuse_closed(connection: Any, record: object, proxy: object) -> None:
    """Have the pool replace a connection that the server has closed.

    The event loop has seen the closing already, so this pre-ping costs no round trip.
    """
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError
