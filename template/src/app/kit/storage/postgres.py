"""PostgreSQL through asyncpg."""

import types
from collections.abc import Generator, Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import sqlalchemy as sa

from app.kit.settings import ServiceSettings
from app.kit.storage import postgres_errors, postgres_url
from app.kit.storage.operations import OPERATION_SECONDS, Fault
from app.kit.storage.postgres_plain import Plain, plain_statement
from app.kit.storage.sql_async import AsyncSqlStorage
from app.kit.storage.sql_errors import connecting
from app.kit.storage.sql_work import T, Work

MIGRATION_LOCK = 0x4E6F746573


class Storage(AsyncSqlStorage):
    """An open PostgreSQL database."""

    system = "postgresql"
    returns_changes = True

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = postgres_url.parse(settings.database_url.get_secret_value())
        arguments["server_settings"]["statement_timeout"] = f"{OPERATION_SECONDS}s"
        super().__init__(
            settings,
            "postgresql+asyncpg://",
            async_creator=lambda **_: _connecting(arguments),
            connect_args=_prepared(arguments),
            isolation_level="AUTOCOMMIT",
        )
        sa.event.listen(self.engine, "checkout", _refuse_closed)
        self.transactions = self.engine.execution_options(isolation_level="READ COMMITTED")
        self.snapshots = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def fetch(self, statement: sa.Executable, /, **parameters: Any) -> Sequence[Any]:
        if plain := plain_statement(statement, tuple(parameters), self.engine.dialect):
            rows: Sequence[Any] = await self._run("fetch", plain, parameters)
            return rows
        return await super().fetch(statement, **parameters)

    async def execute(self, statement: sa.Executable, /, **parameters: Any) -> int:
        if plain := plain_statement(statement, tuple(parameters), self.engine.dialect):
            status: str = await self._run("execute", plain, parameters)
            return int(status.rpartition(" ")[2])
        return await super().execute(statement, **parameters)

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
            return await call(plain.sql, *plain.arguments(parameters))
        except asyncpg.IntegrityConstraintViolationError as error:
            raise sa.exc.IntegrityError(plain.sql, None, error) from error
        except asyncpg.PostgresError as error:
            raise sa.exc.DBAPIError(plain.sql, None, error) from error
        except BaseException:  # Such as a cancellation: the connection's state is unknown.
            pooled.invalidate()
            raise
        finally:
            pooled.close()

    async def _checkout(self) -> sa.PoolProxiedConnection:
        """Take a free connection, or wait for one."""
        try:
            return self.engine.pool.connect()
        except sa.exc.MissingGreenlet:
            return await self.async_engine.raw_connection()


@types.coroutine
def _connecting(arguments: dict[str, Any]) -> Generator[Any, Any, asyncpg.Connection]:
    """Connect when this is awaited; of a common coroutine that never is, Python would warn."""
    return (yield from _connect(**arguments).__await__())


async def _connect(**arguments: Any) -> asyncpg.Connection:
    with connecting(postgres_errors.fault):
        return await asyncpg.connect(timeout=OPERATION_SECONDS, **arguments)


def _prepared(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the options of SQLAlchemy's own cache of prepared statements."""
    size = arguments.get("statement_cache_size", 100)
    if size:
        return {"prepared_statement_cache_size": size}
    # Behind a pooler, clients share a session, where names of statements must be unique.
    name = {"prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__"}
    return {"prepared_statement_cache_size": 0, **name}


def _refuse_closed(connection: Any, record: object, proxy: object) -> None:
    """Have the pool replace a connection that the server has closed.

    The event loop has seen the closing already, so this pre-ping costs no round trip.
    """
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError
