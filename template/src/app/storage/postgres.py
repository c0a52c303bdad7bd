"""PostgreSQL through asyncpg."""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.settings import InvalidSettings, Settings
from app.storage.sql import OPERATION_SECONDS, Fault, SqlStorage

HOST = r"(\[[^\]]*\]|[^:,\[\]]*)(:[0-9]{1,5})?"
HOSTS = re.compile(f"{HOST}(,{HOST})*")

# Classes of SQLSTATE, or whole ones, that speak of the server and not of the statement.
OUTAGES = ("08", "25006", "28", "3D", "53", "55P03", "57", "58", "XX")
MISSING_SCHEMA = ("42P01", "42703")
TRANSIENT = ("40001", "40P01")
RECYCLE_SECONDS = 300
MIGRATION_LOCK = 0x4E6F746573


class Storage(SqlStorage):
    """An open PostgreSQL database. The URL goes to asyncpg as it is, all its options included."""

    def __init__(self, settings: Settings) -> None:
        _, _, address = settings.database_url.get_secret_value().partition("://")
        if not HOSTS.fullmatch(address.partition("/")[0].rpartition("@")[2]):
            raise InvalidSettings("DATABASE_URL: the host or the port is malformed")

        async def connect() -> asyncpg.Connection:
            return await asyncpg.connect(
                f"postgresql://{address}",
                timeout=OPERATION_SECONDS,
                server_settings={"statement_timeout": f"{OPERATION_SECONDS}s"},
            )

        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=OPERATION_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
        )
        sa.event.listen(engine.sync_engine, "checkout", _refuse_closed)
        super().__init__(readers=engine, writers=engine)
        self._transactions = engine.execution_options(isolation_level="READ COMMITTED")

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._transactions.begin()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        async with self.transaction() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            yield connection

    def fault(self, error: Exception) -> Fault | None:
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        if state in TRANSIENT:
            return Fault.TRANSIENT
        if state in MISSING_SCHEMA:
            return Fault.SCHEMA
        if isinstance(error, sa.exc.InterfaceError) or (state or "").startswith(OUTAGES):
            return Fault.OUTAGE
        return None


def _refuse_closed(connection: Any, record: object, proxy: object) -> None:
    """Have the pool replace a connection that the server has closed.

    The event loop has seen the closing already, so this pre-ping costs no round trip.
    """
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError
