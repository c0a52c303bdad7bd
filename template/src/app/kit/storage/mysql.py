"""MySQL and MariaDB through asyncmy."""

import asyncio
from typing import Any

import asyncmy
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from app.kit.migrations.sql import mysql as migrations
from app.kit.settings import ServiceSettings
from app.kit.storage import mysql_errors, mysql_url
from app.kit.storage.operations import OPERATION_SECONDS, Fault
from app.kit.storage.sql_async import AsyncSqlStorage, run
from app.kit.storage.sql_errors import connecting
from app.kit.storage.sql_work import T, Work, beginning

SERVER_SECONDS = OPERATION_SECONDS - 0.6  # The server must time out before we cancel.
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


class Storage(AsyncSqlStorage):
    """An open MySQL or MariaDB database."""

    system = "mysql"

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = mysql_url.parse(settings.database_url.get_secret_value())
        arguments |= {"async_creator_fn": _connect, "autocommit": True}
        super().__init__(settings, "mysql+app://", connect_args=arguments)
        sa.event.listen(self.engine, "connect", _set_up)
        sa.event.listen(self.engine, "handle_error", _leave)
        self.transactions = beginning(self.engine, "BEGIN")
        self.snapshots = beginning(self.engine, *SNAPSHOT)

    async def migration(self, work: Work[T]) -> T:
        def alone(connection: sa.Connection) -> T:
            try:
                for statement in migrations.SET_UP:
                    connection.exec_driver_sql(statement)
                result = work(connection)
                connection.commit()
                return result
            finally:
                connection.invalidate()  # Closing it ends the lock and the settings.

        return await run(self.engine.connect, alone)

    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        dialect: Any = connection.dialect
        return (10, 6) if dialect.is_mariadb else (8, 0, 17)

    def fault(self, error: Exception) -> Fault | None:
        return mysql_errors.fault(error)


async def _connect(**options: Any) -> Any:
    # The driver's own timeout covers only its first step, and on Python 3.11 it swallows a
    # cancellation.
    with connecting(mysql_errors.fault):
        async with asyncio.timeout(OPERATION_SECONDS):
            return await asyncmy.connect(**options)


def _set_up(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for statement in SET_UP:
        cursor.execute(statement)
    cursor.close()


def _leave(context: sa.ExceptionContext) -> None:
    # After a failover, a new connection reaches the new primary.
    if mysql_errors.code(context.original_exception) in mysql_errors.NOT_THIS_SERVER:
        context.is_disconnect = True
