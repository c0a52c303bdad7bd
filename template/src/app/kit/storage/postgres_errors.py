"""What PostgreSQL's and asyncpg's errors mean."""

import asyncpg
import sqlalchemy as sa

from app.kit.storage.faults import Fault
from app.kit.storage.sql_errors import driver_error, pool_fault

READ_ONLY = "25006"  # A read-only transaction, on a server that was the primary.
SQLSTATES = {
    "08": Fault.OUTAGE,  # connection exception
    READ_ONLY: Fault.OUTAGE,
    "25P03": Fault.OUTAGE,  # idle in transaction for too long
    "25P04": Fault.OUTAGE,  # transaction timeout
    "26": Fault.OUTAGE,  # a pooler lost a prepared statement
    "28": Fault.OUTAGE,  # invalid authorization
    "3D": Fault.OUTAGE,  # no such database
    "3F": Fault.NOT_ALLOWED,  # no schema that the user may create in
    "40": Fault.TRANSIENT,  # transaction rollback
    "40002": None,  # integrity constraint violation
    "40003": Fault.OUTAGE,  # statement completion unknown
    "42501": Fault.NOT_ALLOWED,  # insufficient privilege
    "42703": Fault.SCHEMA,  # no such column
    "42704": Fault.SCHEMA,  # no such type
    "42P01": Fault.SCHEMA,  # no such table
    "42P05": Fault.OUTAGE,  # a pooler mixed up prepared statements
    "53": Fault.OUTAGE,  # insufficient resources
    "55006": Fault.OUTAGE,  # object in use
    "55P03": Fault.OUTAGE,  # lock not available
    "57": Fault.OUTAGE,  # operator intervention, timeouts of statements among them
    "58": Fault.OUTAGE,  # system error
    "72": Fault.SNAPSHOT_EXPIRED,  # snapshot too old
    "F0": Fault.OUTAGE,  # configuration file
    "XX": Fault.OUTAGE,  # internal error, corrupted data
}
"""By code, or else by class of codes, which is its first two characters; all others are bugs."""

UNSENT = (
    "not connected",
    "cannot perform operation: connection is closed",
    "cannot switch to state",  # The server closed the connection between two operations.
)
"""Beginnings of asyncpg's messages if a connection was closed before a statement was sent."""


def fault(error: Exception) -> Fault | None:
    """Return the meaning of an error; ``None`` if the statement itself is wrong."""
    cause = driver_error(error)
    match cause:
        case asyncpg.InvalidCachedStatementError():  # A migration ran beside the transaction.
            return Fault.TRANSIENT
        case asyncpg.PostgresError():
            state = cause.sqlstate or ""
            return SQLSTATES.get(state, SQLSTATES.get(state[:2]))
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return _client_fault(cause)
    return pool_fault(error)


def _client_fault(error: Exception) -> Fault | None:
    if str(error.args[0]).startswith(UNSENT):
        return Fault.TRANSIENT
    unsupported = asyncpg.UnsupportedClientFeatureError | asyncpg.UnsupportedServerFeatureError
    # A value that does not fit its parameter is both an InterfaceError and a ValueError.
    return None if isinstance(error, unsupported | ValueError) else Fault.OUTAGE


def is_read_only(error: BaseException) -> bool:
    """Return whether another server is the primary now."""
    return getattr(error, "sqlstate", "") == READ_ONLY


def leave_read_only(context: sa.ExceptionContext) -> None:
    """Have SQLAlchemy connect again then."""
    if is_read_only(context.original_exception):
        context.is_disconnect = True
