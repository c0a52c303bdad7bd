"""MySQL and MariaDB through asyncmy."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncmy
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.kit.errors import InvalidSettings
from app.kit.migrations.sql import mysql as migrations
from app.kit.settings import ServiceSettings
from app.kit.storage import mysql_errors
from app.kit.storage.operations import OPERATION_SECONDS, Fault
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_errors import connecting

SSL_MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
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
        url, options = _parse(settings.database_url.get_secret_value())
        engine = create_async_engine(
            url.set(drivername="mysql+app", query={}),
            connect_args={"async_creator_fn": _connect, "autocommit": True, **options},
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


def _parse(text: str) -> tuple[sa.URL, dict[str, Any]]:
    """Return the address and what else the driver is to be told."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidSettings("DATABASE_URL: the host or the port is malformed") from None
    if "@" in (url.host or "") or url.port not in (None, *range(1, 65536)):
        raise InvalidSettings("DATABASE_URL: the host or the port is malformed")
    if not url.database:
        raise InvalidSettings("DATABASE_URL: name a database, as in mysql://user@host/notes")
    options = {name.replace("_", "-").lower(): value for name, value in url.query.items()}
    if options.pop("charset", "utf8mb4") != "utf8mb4" or options.keys() - {"ssl-mode", "ssl-ca"}:
        raise InvalidSettings("DATABASE_URL: its options are ssl-mode, ssl-ca, charset=utf8mb4")
    return url, {"password": (url.password or "").encode(), **_tls(options)}


def _tls(options: dict[str, Any]) -> dict[str, ssl.SSLContext]:
    mode = options.get("ssl-mode", "VERIFY_CA" if "ssl-ca" in options else "DISABLED")
    if mode not in SSL_MODES:
        raise InvalidSettings(f"DATABASE_URL: ssl-mode is one of {', '.join(SSL_MODES)}")
    if mode == "DISABLED":
        return {}
    try:
        context = ssl.create_default_context(cafile=options.get("ssl-ca"))
    except OSError:
        raise InvalidSettings("DATABASE_URL: ssl-ca names no file of certificates") from None
    context.check_hostname = mode == "VERIFY_IDENTITY"
    if mode == "REQUIRED":
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}
