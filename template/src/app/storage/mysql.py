"""MySQL and MariaDB through asyncmy."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.dialects.mysql.asyncmy import MySQLDialect_asyncmy
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.types import adapt_type

from app.migrations.sql.mysql import DdlCompiler, TypeCompiler
from app.settings import InvalidSettings, Settings
from app.storage.operations import OPERATION_SECONDS, Fault
from app.storage.sql import SqlStorage

# Codes of errors that speak of the server and not of the statement.
CONNECTION = {0, 2003, 2013, 1043, 1053, 1077, 1152, *range(1153, 1162), 1184, 1927, 4031}
ADMISSION = {1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1698, 2059, 3159}
RESOURCES = {1021, 1030, 1037, 1038, 1041, 1114, 1135, 1180, 1317, 1969, 3024}
NOT_THIS_SERVER = {1036, 1047, 1290, 1792, 1836}  # It only reads, or its cluster is not ready.
OUTAGES = CONNECTION | ADMISSION | RESOURCES | NOT_THIS_SERVER
MISSING_SCHEMA = {1054, 1146}
# With 2006 the driver says that the server had closed the connection: nothing was sent.
TRANSIENT = {1020, 1205, 1213, 1614, 2006, 3101}

OPTIONS = {"charset": "utf8mb4", "ssl-mode": "", "ssl-ca": ""}
SSL_MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
RECYCLE_SECONDS = 300
SET_UP = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    f"""SET time_zone = '+00:00', sql_mode = 'TRADITIONAL',
        lock_wait_timeout = {int(OPERATION_SECONDS)},
        innodb_lock_wait_timeout = {int(OPERATION_SECONDS)}
        /*M! , max_statement_time = {OPERATION_SECONDS} */
        /*!80000 , max_execution_time = {int(OPERATION_SECONDS * 1000)} */""",
)
SET_UP_MIGRATION = (
    """SET autocommit = 0, lock_wait_timeout = DEFAULT, innodb_lock_wait_timeout = DEFAULT
        /*M! , max_statement_time = DEFAULT */""",
    "DO GET_LOCK(MD5(DATABASE()), 31536000)",
)


class _Uuid(sa.Uuid[UUID]):
    """An id in the order of its bytes, which is that of UUIDv7."""

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return lambda value: value and value.bytes

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return lambda value: value and UUID(bytes=value)


class _UtcDateTime(DATETIME):
    """A time in UTC, of which the server forgets that it is."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return lambda value: value and value.replace(tzinfo=UTC)


class Dialect(MySQLDialect_asyncmy):
    """SQLAlchemy's dialect, but for these few things."""

    supports_statement_cache = True
    type_compiler_cls = TypeCompiler
    ddl_compiler = DdlCompiler

    def type_descriptor(self, typeobj: Any) -> Any:
        return adapt_type(typeobj, {**self.colspecs, sa.DateTime: _UtcDateTime, sa.Uuid: _Uuid})

    def do_rollback(self, dbapi_connection: Any) -> None:
        # Outside a transaction it would be a round trip for nothing.
        if dbapi_connection.driver_connection.get_transaction_status():
            dbapi_connection.rollback()

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        # After a failover, a new connection leads to the server that writes now.
        return _code(e) in NOT_THIS_SERVER or super().is_disconnect(e, connection, cursor)


registry.register("mysql.app", __name__, Dialect.__name__)


class Storage(SqlStorage):
    """An open MySQL or MariaDB database."""

    def __init__(self, settings: Settings) -> None:
        url, options = _parse(settings.database_url.get_secret_value())
        engine = create_async_engine(
            url.set(drivername="mysql+app", query={}),
            connect_args={"autocommit": True, "connect_timeout": OPERATION_SECONDS, **options},
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=OPERATION_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
        )
        sa.event.listen(engine.sync_engine, "connect", _set_up)
        super().__init__(readers=engine, writers=engine)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self.writers.begin() as connection:
            await connection.exec_driver_sql("BEGIN")
            yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        async with self.writers.connect() as connection:
            try:
                for statement in SET_UP_MIGRATION:
                    await connection.exec_driver_sql(statement)
                yield connection
                await connection.commit()
            finally:
                await connection.invalidate()  # The lock ends with it.

    def fault(self, error: Exception) -> Fault | None:
        code = _code(error.orig) if isinstance(error, sa.exc.DBAPIError) else None
        if code in TRANSIENT:
            return Fault.TRANSIENT
        if code in MISSING_SCHEMA:
            return Fault.SCHEMA
        return Fault.OUTAGE if code in OUTAGES else None


def _code(error: BaseException | None) -> object:
    return error.args[0] if error and error.args else None


def _set_up(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for statement in SET_UP:
        cursor.execute(statement)
    cursor.close()


def _parse(text: str) -> tuple[sa.URL, dict[str, Any]]:
    """Return the address and what else the driver is to be told."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidSettings("DATABASE_URL: the host or the port is malformed") from None
    if "@" in (url.host or "") or (url.port or 1) > 65535:
        raise InvalidSettings("DATABASE_URL: the host or the port is malformed")
    if not url.database:
        raise InvalidSettings("DATABASE_URL: name a database, as in mysql://user@host/notes")
    options = {name.replace("_", "-").lower(): value for name, value in url.query.items()}
    if options.keys() - OPTIONS or options.get("charset", "utf8mb4") != "utf8mb4":
        raise InvalidSettings(f"DATABASE_URL: the only options are {', '.join(OPTIONS)}")
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
