"""What SQLAlchemy's own errors mean, and which error of the driver is behind the others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from app.kit.storage.operations import Fault

CLOSED = "This connection is closed"
"""What the pool says when the server closes each connection that it hands out."""


def driver_error(error: BaseException) -> BaseException:
    """Return the error of the driver that SQLAlchemy made an error of its own from."""
    inner = getattr(error, "orig", None) or error
    emulated = isinstance(inner, sa.exc.EmulatedDBAPIException)
    return inner.__cause__ or inner if emulated else inner


def pool_fault(error: Exception) -> Fault | None:
    """Return what an error means that is not the driver's."""
    if isinstance(error, sa.exc.InvalidRequestError) and CLOSED in str(error):
        return Fault.TRANSIENT
    return Fault.OUTAGE if isinstance(error, OSError | sa.exc.TimeoutError) else None


@contextmanager
def connecting(fault: Callable[[Exception], Fault | None]) -> Iterator[None]:
    """Make an error that ``fault`` has no good word for one of the connection.

    No statement was sent yet, so it is neither wrong nor about the schema. The drivers raise
    anything here, as ``RuntimeError`` for want of a package that the server's login needs.
    """
    try:
        yield
    except Exception as error:
        if fault(error) in (None, Fault.SCHEMA):
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        raise
