"""MySQL and MariaDB through asyncmy."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import asyncmy
import sqlalchemy as sa
from asyncmy.errors import IntegrityError, MySQLError
from sqlalchemy.dialects import registry

from app.kit.settings import ServiceSettings
from app.kit.storage import mysql_errors, mysql_url
from app.kit.storage.operations import OPERATION_SECONDS
from app.kit.storage.sql_async import AsyncSqlStorage, lazily
from app.kit.storage.sql_async_hosts import Host, Hosts, LastResort
from app.kit.storage.sql_errors import connecting
from app.kit.storage.sql_statements import Bound
from app.kit.storage.sql_work import T, Work, beginning

SERVER_SECONDS = OPERATION_SECONDS - 0.6  # The server must time out before we cancel.
SET_UP = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    f"""SET time_zone = '+00:00', sql_mode = 'TRADITIONAL',
        lock_wait_timeout = {SERVER_SECONDS:.0f}, innodb_lock_wait_timeout = {SERVER_SECONDS:.0f}
        /*M! , max_statement_time = {SERVER_SECONDS} */
        /*!80000 , max_execution_time = {SERVER_SECONDS * 1000:.0f} */""",
)
VARIABLES = "SHOW VARIABLES WHERE Variable_name IN ('read_only', 'wsrep_on')"
STATUS = "SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state')"
SYNCED = "4"  # Others are about to join, or give their data to one that does.
CAUSAL = "SET wsrep_sync_wait = @@wsrep_sync_wait | 7"
"""Before a transaction or a statement, a node of Galera applies what others acknowledged."""

SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)

registry.register("mysql.app", "app.kit.storage.mysql_dialect", "Dialect")


class Storage(AsyncSqlStorage):
    """An open MySQL or MariaDB database."""

    system = "mysql"
    broken_rule = IntegrityError
    fault = staticmethod(mysql_errors.fault)

    def __init__(self, settings: ServiceSettings) -> None:
        arguments = mysql_url.parse(settings.database_url.get_secret_value())
        addresses = arguments.pop("hosts")
        hosts = Hosts(addresses, partial(_connect, only_writable=len(addresses) > 1))
        arguments |= {"async_creator_fn": partial(lazily, hosts.connect), "autocommit": True}
        super().__init__(settings, "mysql+app://", connect_args=arguments)
        sa.event.listen(self.engine, "handle_error", _leave)
        self.transactions = beginning(self.engine, "BEGIN")
        self.snapshots = beginning(self.engine, *SNAPSHOT)

    async def select(self, call: Bound) -> Sequence[Any]:
        return await self.on_driver(partial(_select, call))

    async def write(self, call: Bound) -> int:
        return await self.on_driver(lambda connection: connection.cursor().execute(*call))

    async def update_and_select(self, update: Bound, select: Bound) -> tuple[int, Sequence[Any]]:
        async def work(connection: Any) -> tuple[int, Sequence[Any]]:
            await connection.begin()
            try:
                changed: int = await connection.cursor().execute(*update)
                rows = await _select(select, connection)
                await connection.commit()
                return changed, rows
            except MySQLError:
                if connection.connected:
                    await connection.rollback()
                raise

        return await self.on_driver(work)

    def is_usable(self, connection: Any, error: BaseException) -> bool:
        code = mysql_errors.code(error)
        known = isinstance(error, MySQLError) and code not in mysql_errors.NOT_THIS_SERVER
        return known and connection.connected

    async def migration(self, work: Work[T]) -> T:
        from app.kit.migrations.sql import mysql as migrations  # With Alembic.

        def alone(connection: sa.Connection) -> T:
            try:
                for statement in migrations.SET_UP:
                    connection.exec_driver_sql(statement)
                result = work(connection)
                connection.commit()
                return result
            finally:
                connection.invalidate()  # Closing it ends the lock and the settings.

        return await self.run(self.engine.connect, alone)

    def oldest(self, connection: sa.Connection) -> tuple[int, ...]:
        dialect: Any = connection.dialect
        return (10, 6) if dialect.is_mariadb else (8, 0, 17)


async def _select(call: Bound, connection: Any) -> Sequence[Any]:
    cursor = connection.cursor()
    await cursor.execute(*call)
    rows: Sequence[Any] = await cursor.fetchall()
    return rows


async def _connect(host: Host, is_last_resort: bool, *, only_writable: bool, **options: Any) -> Any:
    # The driver's own timeout covers only its first step, and on Python 3.11 it swallows a
    # cancellation: the caller has one for all of this.
    with connecting(mysql_errors.fault):
        connection = await asyncmy.connect(host=host[0], port=host[1], **options)
    try:
        async with connection.cursor() as cursor:
            for statement in SET_UP:
                await cursor.execute(statement)
            await _check(cursor, only_writable, is_last_resort)
    except BaseException:
        connection.close()
        raise
    return connection


async def _check(cursor: Any, only_writable: bool, is_last_resort: bool) -> None:
    """Raise an error if the server is not usable, or ``LastResort``."""
    await cursor.execute(VARIABLES)
    variables = dict(await cursor.fetchall())
    if only_writable and variables.get("read_only", "OFF") != "OFF":
        raise ConnectionError("The server is read-only.")
    if variables.get("wsrep_on") != "ON":
        return
    await cursor.execute(STATUS)
    status = dict(await cursor.fetchall())
    if status["wsrep_ready"] != "ON":
        raise ConnectionError("The node is not ready, or cut off from its cluster.")
    if status["wsrep_local_state"] != SYNCED and not is_last_resort:
        raise LastResort
    await cursor.execute(CAUSAL)


def _leave(context: sa.ExceptionContext) -> None:
    # After a failover, a new connection reaches the new primary.
    if mysql_errors.code(context.original_exception) in mysql_errors.NOT_THIS_SERVER:
        context.is_disconnect = True
