"""What every call to a database has: an end in bounded time, and a failure that says its kind."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar

from app.errors import Unavailable

OPERATION_SECONDS = 2.0

P = ParamSpec("P")
T = TypeVar("T")


class Fault(Enum):
    """Why a database could not do what it was rightly asked."""

    OUTAGE = "The database is unavailable."
    SCHEMA = "The database's schema is not the one needed: run `app migrate`."
    EXPIRED = "The database keeps no snapshot for so long."
    TRANSIENT = "The database is too busy."  # It says that the same may be asked again.


class BoundedStorage(ABC):
    """An open database, which answers in time or is ``Unavailable``."""

    outages: ClassVar[tuple[type[Exception], ...]] = (OSError,)
    """The errors that always mean ``Fault.OUTAGE``."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault | None:
        """Return what the database means by an error; ``None``: what it was asked is wrong."""

    @abstractmethod
    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, or raise ``Unavailable``.

        Whatever happens to the database, this ends after ``OPERATION_SECONDS`` and the time it
        takes to give up a connection.
        """

    @contextmanager
    def faults_told(self) -> Iterator[None]:
        """Raise ``Unavailable`` for a fault of the database; any other error stays what it is."""
        try:
            yield
        except Exception as error:
            fault = Fault.OUTAGE if isinstance(error, self.outages) else self.fault(error)
            if fault is None:
                raise
            cause = getattr(error, "orig", None) or error
            reason = f"{type(cause).__name__}: {cause}".splitlines()[0]
            raise Unavailable(fault.value, reason) from error


class _HasStorage(Protocol):
    @property
    def storage(self) -> BoundedStorage: ...


S = TypeVar("S", bound=_HasStorage)


def operation(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a repository's method one operation, bounded in time by its storage."""

    @wraps(method)
    async def bounded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.storage.bounded(lambda: method(self, *args, **kwargs))

    return bounded
