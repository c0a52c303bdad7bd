"""Storages and their operations: each ends in bounded time, and each failure has a kind."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from app.kit import logs
from app.kit.features import Feature
from app.kit.storage.faults import Fault, unavailable

OPERATION_SECONDS = 2.0

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Pool:
    """Connections: how many a process may have and uses, and how many operations wait."""

    size: int
    used: int
    waiting: int


class Storage(ABC):
    """An open database of any kind. What it does ends in bounded time or raises ``Unavailable``."""

    system: ClassVar[str]  # OpenTelemetry's name for the kind of database.
    module: ClassVar[str]  # The one in which a feature has its repository.
    in_flight = 0  # Operations that have begun and not ended.
    _shared: Any = None

    def repository(self, feature: Feature) -> Any:
        """Return the feature's ``Repository`` on this database."""
        return feature.load(self.module).Repository(self)

    @abstractmethod
    async def check(self, *, or_newer: bool = False) -> None:
        """Raise ``Unavailable`` unless the database answers and has the schema of this code.

        With ``or_newer``, the schema of newer code is accepted, too.
        """

    @abstractmethod
    async def migrate(self) -> None:
        """Bring the schema to the newest revision; safe to run again, and twice at once.

        Revisions that this code does not know stay, and are logged.
        """

    @abstractmethod
    def pool(self) -> Pool:
        """Return the present use of the connection pool."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault | None:
        """Return the meaning of an error; ``None`` if the statement itself is wrong."""

    @abstractmethod
    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, or raise ``Unavailable``.

        It ends after ``OPERATION_SECONDS`` and the time it takes to close a connection, even if the
        database hangs.
        """

    @abstractmethod
    def new_snapshot(self) -> AbstractAsyncContextManager[Any]:
        """Open a snapshot of the database for reading."""

    def snapshot(self) -> AbstractAsyncContextManager[Any]:
        """Return the snapshot of ``one_snapshot``, or a new one."""
        return nullcontext(self._shared) if self._shared else self.new_snapshot()

    @asynccontextmanager
    async def one_snapshot(self) -> AsyncIterator[None]:
        """Have all dumps in the context read one snapshot of the database."""
        async with self.new_snapshot() as self._shared:
            try:
                yield
            finally:
                self._shared = None

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Raise ``Unavailable`` for a fault of the database; other errors pass unchanged."""
        try:
            yield
        except Exception as error:
            fault = self.fault(error)
            if fault is None:
                raise
            cause = getattr(error, "orig", None) or error
            reason = f"{type(cause).__name__}: {cause}".splitlines()[0]
            raise unavailable(fault, reason) from error


UNTRACED = nullcontext()


def _span(*names: str) -> AbstractContextManager[None]:
    if not logs.trace_id.get():
        return UNTRACED
    from app.kit.tracing import database_span  # Commands do not need it.

    return database_span(*names)


def operation(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make a repository's method one operation, bounded in time by its storage.

    It is a span if the request is traced; such spans are the same on every database.
    """
    feature = method.__module__.split(".")[-2]

    @wraps(method)
    async def bounded(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        storage: Storage = self.storage
        storage.in_flight += 1
        try:
            with _span(storage.system, feature, method.__name__):
                return await storage.bounded(lambda: method(self, *args, **kwargs))
        finally:
            storage.in_flight -= 1

    return bounded
