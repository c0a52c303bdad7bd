"""What MongoDB's and PyMongo's errors mean."""

from typing import Any

import pytest
from pymongo import errors

from app.kit.storage.faults import Fault
from app.kit.storage.mongodb_errors import fault

SORTED = {
    Fault.OUTAGE: "6 7 11 18 43 50 64 89 91 94 133 134 189 202 262 371 402 433 462 9001 10107 "
    "11600 11601 11602 13388 13435 14031",
    Fault.TRANSIENT: "112 246 251",
    Fault.NOT_ALLOWED: "13 20 8000",
    Fault.SNAPSHOT_EXPIRED: "239",
    None: "1 2 9 14 26 48 59 72 85 121 10334 11000",
}
CODES = [(int(code), means) for means, codes in SORTED.items() for code in codes.split()]
OVERLOAD = {"errorLabels": ["SystemOverloadedError"]}
CLASSES = {
    "no primary": (errors.ServerSelectionTimeoutError("No primary available"), Fault.OUTAGE),
    "not primary": (errors.NotPrimaryError("not primary"), Fault.OUTAGE),
    "lost": (errors.AutoReconnect("connection closed"), Fault.OUTAGE),
    "time": (errors.NetworkTimeout("timed out"), Fault.OUTAGE),
    "pool": (errors.WaitQueueTimeoutError("timed out"), Fault.OUTAGE),
    "too old": (errors.ConfigurationError("wire version"), Fault.OUTAGE),
    "protocol": (errors.ProtocolError("wrong length"), Fault.OUTAGE),
    "concern": (errors.WTimeoutError("waiting for replication", 64), Fault.OUTAGE),
    "overload": (errors.OperationFailure("busy", 999_999, OVERLOAD), Fault.OUTAGE),
    "encryption": (errors.EncryptionError(errors.AutoReconnect("closed")), Fault.OUTAGE),
    "duplicate": (errors.DuplicateKeyError("E11000", 11000), None),
    "validation": (errors.WriteError("failed validation", 121), None),
    "closed": (errors.InvalidOperation("Cannot use a client after close"), None),
    "bug": (KeyError("x"), None),
}


def several(kind: str, code: int) -> Exception:
    found: dict[str, Any] = {"writeErrors": [], "writeConcernErrors": []}
    return errors.BulkWriteError(found | {kind: [{"code": code, "errmsg": "wrong"}]})


@pytest.mark.parametrize(("code", "means"), CODES)
def test_every_code_has_a_meaning(code: int, means: Fault | None) -> None:
    assert fault(errors.OperationFailure("wrong", code)) is means
    assert fault(several("writeErrors", code)) is means


@pytest.mark.parametrize(("error", "means"), CLASSES.values(), ids=CLASSES.keys())
def test_every_class_has_a_meaning(error: Exception, means: Fault | None) -> None:
    assert fault(error) is means


def test_writes_that_no_majority_has_are_an_outage() -> None:
    assert fault(several("writeConcernErrors", 64)) is Fault.OUTAGE
