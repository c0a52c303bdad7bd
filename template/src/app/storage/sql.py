"""A SQL database: what the repositories of every feature need of it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime
from enum import Enum
from functools import wraps
from importlib import import_module
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.util import greenlet_spawn

from app.errors import Unavailable
from app.migrations import sql as migrations

OPERATION_SECONDS = 2.0
ATTEMPTS = 3
BACKOFF_SECONDS = 0.02

CURRENT_REVISIONS = sa.text("SELECT version_num FROM alembic_version")

P = ParamSpec("P")
T = TypeVar("T")


class Base(DeclarativeBase):
    """The schema of all features; migrations are made from it."""

    type_annotation_map: ClassVar = {datetime: sa.DateTime(timezone=True)}
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Fault(Enum):
    """Why a database could not do what a right statement asked."""

    OUTAGE = "The database is unavailable."
    SCHEMA = "The database's schema is not the one needed: run `app migrate`."
    TRANSIENT = "The database is too busy."  # It says that the same transaction may be run again.


class SqlStorage(ABC):
    """An open SQL database.

    ``readers`` and ``writers`` commit each statement by itself; they may be the same engine.
    """

    def __init__(self, readers: AsyncEngine, writers: AsyncEngine) -> None:
        self.readers, self.writers = readers, writers

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection whose statements happen together or not at all."""

    @abstractmethod
    def migrating(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection in a transaction that no other migration runs beside."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault | None:
        """Return what the database means by an error; ``None``: the statement is wrong."""

    def repository(self, feature: str) -> Any:
        """Return the feature's ``Repository`` on this database."""
        return import_module(f"app.{feature}.sql").Repository(self)

    async def fetch(self, statement: sa.Executable, **parameters: Any) -> Sequence[sa.Row[Any]]:
        """Return the rows of one statement that only reads."""

        def run() -> Sequence[sa.Row[Any]]:
            with self.readers.sync_engine.connect() as connection:
                return connection.execute(statement, parameters).all()

        # One greenlet for the whole: AsyncConnection takes one each to connect, execute and close.
        return await greenlet_spawn(run)

    async def execute(self, statement: sa.Executable, **parameters: Any) -> int:
        """Run one statement, durable when this returns, and return the number of rows it met."""

        def run() -> int:
            with self.writers.sync_engine.connect() as connection:
                return connection.execute(statement, parameters).rowcount

        return await greenlet_spawn(run)

    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, run again where that is safe, or raise ``Unavailable``.

        Whatever happens to the database, this ends after ``OPERATION_SECONDS`` and the time it
        takes to give up a connection.
        """
        with self.faults_as_unavailable():
            async with asyncio.timeout(OPERATION_SECONDS):
                for attempt in range(ATTEMPTS - 1):
                    try:
                        return await work()
                    except sa.exc.DBAPIError as error:
                        if self.fault(error) is not Fault.TRANSIENT:
                            raise
                    await asyncio.sleep(BACKOFF_SECONDS * 2**attempt)
                return await work()

    @contextmanager
    def faults_as_unavailable(self) -> Iterator[None]:
        """Raise ``Unavailable`` for errors that are the database's fault."""
        try:
            yield
        except Exception as error:
            outage = isinstance(error, OSError | sa.exc.TimeoutError)
            fault = Fault.OUTAGE if outage else self.fault(error)
            if fault is None:
                raise
            raise Unavailable(fault.value, _reason(error)) from error

    async def check(self) -> None:
        """Raise ``Unavailable`` unless the database answers and has the schema of this code."""
        rows = await self.bounded(lambda: self.fetch(CURRENT_REVISIONS))
        if {revision for (revision,) in rows} != migrations.heads():
            raise Unavailable(Fault.SCHEMA.value)

    async def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        with self.faults_as_unavailable():
            async with self.migrating() as connection:
                await connection.run_sync(migrations.upgrade)

    async def close(self) -> None:
        """Close every connection."""
        await self.readers.dispose()
        await self.writers.dispose()


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {cause}".splitlines()[0]


class _HasStorage(Protocol):
    storage: SqlStorage


S = TypeVar("S", bound=_HasStorage)


def operation(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a repository's method one operation: bounded in time, retried where that is safe."""

    @wraps(method)
    async def bounded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.storage.bounded(lambda: method(self, *args, **kwargs))

    return bounded
