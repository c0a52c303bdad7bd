"""MySQL and MariaDB through asyncmy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncmy
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.kit.migrations.sql import mysql as migrations
from app.kit.settings import ServiceSettings
from app.kit.storage import mysql_errors, mysql_url
from app.kit.storage.operations import OPERATION_SECONDS, Fault
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_errors import connecting

RECYCLE_SECONDS = 300
SERVER_SECONDS = OPERATION_SECONDS - 0.6  # It gives up before it is given up.
SET_UP = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    f"""SET time_zone = '+00:00', sql_mode = 'TRADITIONAL',
        lock_wait_timeout = {SERVER_SECONDS:.0f}, innodb_lock_wait_timeout = {SERVER_SECONDS:.0f}
        /*M! , max_statement_time = {SERVER_SECONDS} */
        /*!80000 , max_execution_time = {SERVER_SECONDS * 1000:.0f} */""",
)
SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)

registry.register("mysql.app", "app.kit.storage.mysql_dialect", "Dialect")


class Storage(SqlStorage):
    """An open MySQL or MariaDB database."""

    system = "mysql"

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = mysql_url.parse(settings.database_url.get_secret_value())
        engine = create_async_engine(
            "mysql+app://",
            connect_args={"async_creator_fn": _connect, "autocommit": True, **arguments},
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=OPERATION_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
        )
        sa.event.listen(engine.sync_engine, "connect", _set_up)
        sa.event.listen(engine.sync_engine, "handle_error", _leave)
        # The pool would serve whoever asks at the right moment, and let others starve.
        slots = settings.database_pool_size
        super().__init__(readers=engine, writers=engine, slots=slots)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self.writers.begin() as connection:
            await connection.exec_driver_sql("BEGIN")
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        async with self.readers.connect() as connection:
            for statement in SNAPSHOT:
                await connection.exec_driver_sql(statement)
            yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        async with self.writers.connect() as connection:
            try:
                for statement in migrations.SET_UP:
                    await connection.exec_driver_sql(statement)
                yield connection
                await connection.commit()
            finally:
                await connection.invalidate()  # The lock ends with it.

    def fault(self, error: Exception) -> Fault | None:
        return mysql_errors.fault(error)


async def _connect(**options: Any) -> Any:
    # The driver bounds its first step only, and by what swallows a cancellation on Python 3.11.
    with connecting(mysql_errors.fault):
        async with asyncio.timeout(OPERATION_SECONDS):
            return await asyncmy.connect(**options)


def _set_up(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for statement in SET_UP:
        cursor.execute(statement)
    cursor.close()


def _leave(context: sa.ExceptionContext) -> None:
    # After a failover, a new connection leads to the server that writes now.
    if mysql_errors.code(context.original_exception) in mysql_errors.NOT_THIS_SERVER:
        context.is_disconnect = True
