"""Operations on a database: each ends in bounded time, and each failure has a kind."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar

from app.kit import logs
from app.kit.errors import InvalidSettings, Unavailable

OPERATION_SECONDS = 2.0
BROKEN = "A revision cannot be applied: what is stored breaks the rule of {}; change that first."

P = ParamSpec("P")
T = TypeVar("T")


class Fault(Enum):
    """Why a database could not execute a correct operation."""

    NOT_ALLOWED = "The database does not allow this."  # Missing right, or read-only.
    OUTAGE = "The database is unavailable."
    SCHEMA = "The database's schema is not the one needed: run `app migrate`."
    SNAPSHOT_EXPIRED = "The database keeps no snapshot for so long."
    TRANSIENT = "The database is too busy."  # It can be retried.


def unavailable(fault: Fault, reason: str = "") -> Unavailable:
    """Return the error for a fault."""
    return Unavailable(fault.value, reason, kind=fault.name.lower())


def require_version(found: Sequence[int], oldest: Sequence[int]) -> None:
    """Raise ``InvalidSettings`` for a server that is too old for the schema."""
    if tuple(found) < tuple(oldest):
        has, needed = (".".join(map(str, version)) for version in (found, oldest))
        raise InvalidSettings(f"DATABASE_URL: the server is version {has}; {needed} is the oldest")


@dataclass(frozen=True)
class Pool:
    """Connections: how many a process may have and uses, and how many operations wait."""

    size: int
    used: int
    waiting: int


class BoundedStorage(ABC):
    """An open database, which answers in bounded time or raises ``Unavailable``."""

    system: ClassVar[str]
    """The kind of database, by OpenTelemetry's name."""

    in_flight = 0
    """The number of operations that have begun and not ended."""

    @abstractmethod
    def pool(self) -> Pool:
        """Return the present use of the connection pool."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault | None:
        """Return the meaning of an error; ``None`` if the statement itself is wrong."""

    @abstractmethod
    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, or raise ``Unavailable``.

        It ends after ``OPERATION_SECONDS`` and the time it takes to close a connection, even if the
        database hangs.
        """

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


class _HasStorage(Protocol):
    @property
    def storage(self) -> BoundedStorage: ...


S = TypeVar("S", bound=_HasStorage)


def operation(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a repository's method one operation, bounded in time by its storage.

    It is a span if the request is traced; such spans are the same on every database.
    """
    feature = method.__module__.split(".")[-2]

    @wraps(method)
    async def bounded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        self.storage.in_flight += 1
        try:
            with _span(self.storage.system, feature, method.__name__):
                return await self.storage.bounded(lambda: method(self, *args, **kwargs))
        finally:
            self.storage.in_flight -= 1

    return bounded
