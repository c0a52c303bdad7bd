"""Which errors of MongoDB speak of the server, and not of what it was asked."""

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    ProtocolError,
    WriteConcernError,
)

from app.kit.storage.operations import Fault

OUTAGES = (
    OSError,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    ProtocolError,
    WriteConcernError,
)

# Where PyMongo has no class.
OUTAGE_CODES = {
    6,  # HostUnreachable
    7,  # HostNotFound
    13,  # Unauthorized
    18,  # AuthenticationFailed
    24,  # LockTimeout
    89,  # NetworkTimeout
    112,  # WriteConflict
    133,  # FailedToSatisfyReadPreference
    134,  # ReadConcernMajorityNotAvailableYet
    146,  # ExceededMemoryLimit
    202,  # NetworkInterfaceExceededTimeLimit
    262,  # ExceededTimeLimit
    462,  # IngressRequestRateLimitExceeded
    9001,  # SocketException
    11601,  # Interrupted
    13388,  # StaleConfig
    14031,  # OutOfDiskSpace
}
SNAPSHOT_TOO_OLD = 239


def fault(error: Exception) -> Fault | None:
    """Return what the code of an error says about the server, if anything."""
    if isinstance(error, BulkWriteError) and error.details["writeConcernErrors"]:
        return Fault.OUTAGE
    code = error.code if isinstance(error, OperationFailure) else None
    if code == SNAPSHOT_TOO_OLD:
        return Fault.SNAPSHOT_EXPIRED
    return Fault.OUTAGE if code in OUTAGE_CODES else None
