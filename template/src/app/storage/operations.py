"""What every call to a database has: an end in bounded time, and a failure that says its kind."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar

from app.errors import Unavailable

OPERATION_SECONDS = 2.0
ATTEMPTS = 3
BACKOFF_SECONDS = 0.02

P = ParamSpec("P")
T = TypeVar("T")


class Fault(Enum):
    """Why a database could not do what it was rightly asked."""

    OUTAGE = "The database is unavailable."
    SCHEMA = "The database's schema is not the one needed: run `app migrate`."
    TRANSIENT = "The database is too busy."  # It says that the same work may be done again.


class BoundedStorage(ABC):
    """An open database, which answers in time or is ``Unavailable``.

    ``outages`` are the errors that always mean it is out of reach.
    """

    outages: ClassVar[tuple[type[Exception], ...]] = (OSError,)

    @abstractmethod
    def fault(self, error: Exception) -> Fault | None:
        """Return what the database means by an error; ``None``: what it was asked is wrong."""

    @contextmanager
    def faults_told(self) -> Iterator[None]:
        """Raise ``Unavailable`` for what the database says of itself, and a bug as it is."""
        try:
            yield
        except Exception as error:
            fault = Fault.OUTAGE if isinstance(error, self.outages) else self.fault(error)
            if fault is None:
                raise
            cause = getattr(error, "orig", None) or error
            reason = f"{type(cause).__name__}: {cause}".splitlines()[0]
            raise Unavailable(fault.value, reason) from error

    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, run again where that is safe, or raise ``Unavailable``.

        Whatever happens to the database, this ends after ``OPERATION_SECONDS`` and the time it
        takes to give up a connection.
        """
        with self.faults_told():
            async with asyncio.timeout(OPERATION_SECONDS):
                for attempt in range(ATTEMPTS - 1):
                    try:
                        return await work()
                    except Exception as error:
                        if self.fault(error) is not Fault.TRANSIENT:
                            raise
                    await asyncio.sleep(BACKOFF_SECONDS * 2**attempt)
                return await work()


class _HasStorage(Protocol):
    @property
    def storage(self) -> BoundedStorage: ...


S = TypeVar("S", bound=_HasStorage)


def operation(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a repository's method one operation: bounded in time, retried where that is safe."""

    @wraps(method)
    async def bounded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.storage.bounded(lambda: method(self, *args, **kwargs))

    return bounded
