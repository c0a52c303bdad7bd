"""What MongoDB's and PyMongo's errors mean."""

from collections.abc import Mapping
from typing import Any

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    EncryptionError,
    ExecutionTimeout,
    OperationFailure,
    ProtocolError,
    WriteConcernError,
)

from app.kit.storage.faults import Fault

OUTAGES = (
    OSError,
    ConfigurationError,  # Also if a server is too old or has no TLS.
    ConnectionFailure,
    ExecutionTimeout,
    ProtocolError,
    WriteConcernError,
)
OUTAGE_LABELS = {"RetryableError", "RetryableWriteError", "SystemOverloadedError"}

NETWORK = {6, 7, 89, 90, 145, 202, 230, 279, 317, 384, 407, 9001}
ADMISSION = {11, 18, 31, 214, 334, 337, 391}  # Users, roles, ways to log in.
REPLICA_SET = {
    *(64, 70, 71, 74, 79, 91, 93, 94, 95, 100, 109, 123, 133, 134, 149, 189, 199, 211, 216),
    *(303, 308, 333, 372, 10058, 10107, 11600, 11602, 13435, 13436),
}
SHARDS = {63, 150, 203, 249, 250, 272, 281, 282, 342, 343, 406, 412, 453, 13388, 56846}
RESOURCES = {24, 46, 107, 117, 146, 208, 261, 262, 264, 301, 365, 402, 433, 449, 450, 462, 14031}
CHANGING = {215, 276, 285, 371, 12586, 12587, 50915}  # Indexes, databases, blocked writes.
ENDED = {43, 50, 175, 237, 290, 355, 11601, 46841, 91331, 10045600}  # Killed, or timed out.
OUTAGE_CODES = NETWORK | ADMISSION | REPLICA_SET | SHARDS | RESOURCES | CHANGING | ENDED

CODES: dict[int, Fault] = {
    **dict.fromkeys(OUTAGE_CODES, Fault.OUTAGE),
    13: Fault.NOT_ALLOWED,  # Unauthorized
    20: Fault.NOT_ALLOWED,  # IllegalOperation: a server that is no replica set
    112: Fault.TRANSIENT,  # WriteConflict
    225: Fault.TRANSIENT,  # TransactionTooOld
    239: Fault.SNAPSHOT_EXPIRED,  # SnapshotTooOld
    246: Fault.TRANSIENT,  # SnapshotUnavailable
    251: Fault.TRANSIENT,  # NoSuchTransaction
    8000: Fault.NOT_ALLOWED,  # AtlasError
}
"""By code, where PyMongo has no class; all others are bugs."""


def fault(error: Exception) -> Fault | None:
    """Return the meaning of an error; ``None`` if the statement itself is wrong."""
    match error:
        case EncryptionError():
            return fault(error.cause)
        case OperationFailure() if not isinstance(error, OUTAGES):
            return _failure(error)
    return Fault.OUTAGE if isinstance(error, OUTAGES) else None


def _failure(error: OperationFailure) -> Fault | None:
    details: Mapping[str, Any] = error.details or {}
    if details.get("writeConcernErrors"):  # Some of several writes failed.
        return Fault.OUTAGE
    codes = [error.code, *(each.get("code") for each in details.get("writeErrors", ()))]
    known = [CODES[code] for code in codes if code in CODES]
    if not known and any(map(error.has_error_label, OUTAGE_LABELS)):
        return Fault.OUTAGE
    return known[0] if known else None
