"""The meaning of SQLAlchemy's own errors; the others wrap an error of the driver."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from app.kit.storage.faults import Fault

CLOSED = "This connection is closed"
"""The pool's message if the server has closed all its connections."""


def driver_error(error: BaseException) -> BaseException:
    """Return the error of the driver that SQLAlchemy wrapped, or the error itself."""
    inner = getattr(error, "orig", None) or error
    emulated = isinstance(inner, sa.exc.EmulatedDBAPIException)
    return inner.__cause__ or inner if emulated else inner


def broken_rule(error: sa.exc.IntegrityError) -> str:
    """Return the name of the constraint or the column whose rule rows break, without their values.

    Where a constraint cannot be added to a table, Alembic fills a copy, ``_alembic_tmp_…``.
    """
    statement, message = error.statement or "", str(error.orig)
    made = re.search(r"(?:CONSTRAINT|INDEX|CHANGE|MODIFY|COLUMN)\s+[`\"]?(\w+)", statement)
    failed = re.search(r"constraint failed: (?:_alembic_tmp_)?([\w.]+)", message)
    found = failed or made
    return found[1] if found else "a constraint"


def pool_fault(error: Exception) -> Fault | None:
    """Return the meaning of an error that is not the driver's."""
    if isinstance(error, sa.exc.InvalidRequestError) and CLOSED in str(error):
        return Fault.TRANSIENT
    return Fault.OUTAGE if isinstance(error, OSError | sa.exc.TimeoutError) else None


@contextmanager
def connecting(fault: Callable[[Exception], Fault | None]) -> Iterator[None]:
    """Raise ``ConnectionError`` for an error that is unknown to ``fault``, or one of the schema.

    While connecting, no statement was sent that could be wrong. Drivers raise any exception here,
    such as ``RuntimeError`` if a package is missing that the server's login needs.
    """
    try:
        yield
    except Exception as error:
        if fault(error) in (None, Fault.SCHEMA):
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        raise
