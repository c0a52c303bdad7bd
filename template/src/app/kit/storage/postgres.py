"""PostgreSQL through asyncpg."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from typing import Any
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.util import await_, greenlet_spawn

from app.kit.settings import ServiceSettings
from app.kit.storage import postgres_errors, postgres_url
from app.kit.storage.operations import OPERATION_SECONDS, Fault
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_errors import connecting

PLAIN_TYPES = {sa.DateTime, sa.Integer, sa.String, sa.Uuid}
RECYCLE_SECONDS = 300
MIGRATION_LOCK = 0x4E6F746573


class Storage(SqlStorage):
    """An open PostgreSQL database."""

    system = "postgresql"

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = postgres_url.parse(settings.database_url.get_secret_value())
        arguments["server_settings"]["statement_timeout"] = f"{OPERATION_SECONDS}s"

        async def connect(**_: object) -> asyncpg.Connection:
            with connecting(postgres_errors.fault):
                return await asyncpg.connect(timeout=OPERATION_SECONDS, **arguments)

        engine = create_async_engine(
            "postgresql+asyncpg://",
            connect_args={"async_creator_fn": connect, **_prepared(arguments)},
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=OPERATION_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
        )
        sa.event.listen(engine.sync_engine, "checkout", _refuse_closed)
        # The pool would serve whoever asks at the right moment, and let others starve.
        slots = settings.database_pool_size
        super().__init__(readers=engine, writers=engine, slots=slots)
        self._transactions = engine.execution_options(isolation_level="READ COMMITTED")
        self._snapshots = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._transactions.begin()

    def snapshot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._snapshots.begin()

    async def fetch(self, statement: sa.Executable, **parameters: Any) -> Sequence[Any]:
        if plain := plain_sql(statement, tuple(parameters), self.readers.dialect):
            rows: Sequence[Any] = await self._run("fetch", *plain, parameters)
            return rows
        return await super().fetch(statement, **parameters)

    async def execute(self, statement: sa.Executable, **parameters: Any) -> int:
        if plain := plain_sql(statement, tuple(parameters), self.writers.dialect):
            status: str = await self._run("execute", *plain, parameters)
            return int(status.rpartition(" ")[2])
        return await super().execute(statement, **parameters)

    async def _run(
        self, method: str, sql: str, names: Sequence[str], parameters: dict[str, Any]
    ) -> Any:
        """Run a plain statement by the driver's own method, which halves what it costs here."""

        def run() -> Any:
            pooled = self.readers.sync_engine.pool.connect()
            connection: Any = pooled.driver_connection
            try:
                call = getattr(connection, method)
                return await_(call(sql, *(parameters[name] for name in names)))
            except asyncpg.IntegrityConstraintViolationError as error:
                raise sa.exc.IntegrityError(sql, None, error) from error
            except asyncpg.PostgresError as error:
                raise sa.exc.DBAPIError(sql, None, error) from error
            except BaseException:  # Cancelled, say: nobody knows what the connection is doing.
                connection.terminate()  # The pool would wait two seconds for it to end.
                pooled.invalidate()
                raise
            finally:
                pooled.close()

        return await greenlet_spawn(run)

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        async with self.transaction() as connection:
            await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            yield connection

    def fault(self, error: Exception) -> Fault | None:
        return postgres_errors.fault(error)


def _prepared(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return how SQLAlchemy is to prepare statements, whose cache is another than the driver's."""
    size = arguments.get("statement_cache_size", 100)
    if size:
        return {"prepared_statement_cache_size": size}
    # A pooler hands the server's sessions around, each with the names that others gave.
    name = {"prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__"}
    return {"prepared_statement_cache_size": 0, **name}


@lru_cache(maxsize=1000)
def plain_sql(
    statement: Any, given: tuple[str, ...], dialect: sa.Dialect
) -> tuple[str, Sequence[str]] | None:
    """Return the SQL and the names of its parameters in order, if the driver needs no more.

    SQLAlchemy converts no value of ``PLAIN_TYPES``. A statement with another type, with a constant
    or with a list of unknown length is not plain. An insert has the columns that are given.
    """
    compiled = statement.compile(dialect=dialect, column_keys=given)
    columns = getattr(statement, "selected_columns", ())
    types = {type(part.type) for part in (*compiled.binds.values(), *columns)}
    constants = compiled.params.keys() - given
    if constants or compiled.post_compile_params or not types <= PLAIN_TYPES:
        return None
    return str(compiled), tuple(compiled.positiontup or ())


def _refuse_closed(connection: Any, record: object, proxy: object) -> None:
    """Have the pool replace a connection that the server has closed.

    The event loop has seen the closing already, so this pre-ping costs no round trip.
    """
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError
