"""What SQLite's errors mean."""

import re
import sqlite3

from app.kit.storage.faults import Fault
from app.kit.storage.sql_errors import driver_error, pool_fault

CODES = {
    sqlite3.SQLITE_PERM: Fault.NOT_ALLOWED,
    sqlite3.SQLITE_ABORT: Fault.OUTAGE,
    sqlite3.SQLITE_BUSY: Fault.OUTAGE,
    sqlite3.SQLITE_BUSY_SNAPSHOT: Fault.TRANSIENT,  # Another connection wrote after the read.
    sqlite3.SQLITE_LOCKED: Fault.OUTAGE,
    sqlite3.SQLITE_NOMEM: Fault.OUTAGE,
    sqlite3.SQLITE_READONLY: Fault.NOT_ALLOWED,
    sqlite3.SQLITE_READONLY_DBMOVED: Fault.OUTAGE,  # The file was moved away or removed.
    sqlite3.SQLITE_INTERRUPT: Fault.OUTAGE,
    sqlite3.SQLITE_IOERR: Fault.OUTAGE,
    sqlite3.SQLITE_CORRUPT: Fault.OUTAGE,
    sqlite3.SQLITE_FULL: Fault.OUTAGE,
    sqlite3.SQLITE_CANTOPEN: Fault.OUTAGE,
    sqlite3.SQLITE_PROTOCOL: Fault.OUTAGE,  # Too many attempts to lock.
    sqlite3.SQLITE_SCHEMA: Fault.TRANSIENT,  # It changed while a statement was prepared.
    sqlite3.SQLITE_NOLFS: Fault.OUTAGE,
    sqlite3.SQLITE_AUTH: Fault.NOT_ALLOWED,
    sqlite3.SQLITE_NOTADB: Fault.OUTAGE,
}
"""By extended code, or else by the primary one, which is its lowest byte; all others are bugs."""

MISSING = re.compile("no such (table|column|index|view)|has no column named")


def fault(error: Exception) -> Fault | None:
    """Return the meaning of an error; ``None`` if the statement itself is wrong."""
    cause = driver_error(error)
    if not isinstance(cause, sqlite3.Error):
        return pool_fault(error)
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    if code & 0xFF == sqlite3.SQLITE_ERROR:
        return Fault.SCHEMA if MISSING.search(str(cause)) else None
    return CODES.get(code, CODES.get(code & 0xFF))
