"""What PostgreSQL's and asyncpg's errors mean."""

import pytest
import sqlalchemy as sa
from asyncpg import exceptions

from app.kit.storage.faults import Fault
from app.kit.storage.postgres_errors import fault
from app.kit.storage.sql_errors import CLOSED

SORTED = {
    Fault.OUTAGE: "08006 08P01 25006 26000 28000 28P01 3D000 40003 42P05 53100 53300 55P03 57014 "
    "57P01 57P03 57P05 58030 XX000 XX001",
    Fault.TRANSIENT: "40000 40001 40P01",
    Fault.SCHEMA: "42703 42704 42P01",
    Fault.NOT_ALLOWED: "3F000 42501",
    Fault.SNAPSHOT_EXPIRED: "72000",
    None: "0A000 22001 22P02 23505 23503 25P02 42601 42883 54000 55000 P0001 40002",
}
STATES = [(state, means) for means, states in SORTED.items() for state in states.split()]
CLASSES = {
    "not matched": (exceptions.TargetServerAttributeNotMatched("none"), Fault.OUTAGE),
    "protocol": (exceptions.ProtocolError("array length overflow"), Fault.OUTAGE),
    "internal": (exceptions.InternalClientError("unknown error in protocol"), Fault.OUTAGE),
    "outdated": (exceptions.OutdatedSchemaCacheError("changed"), Fault.OUTAGE),
    "interface": (exceptions.InterfaceError("unexpected response"), Fault.OUTAGE),
    "closed": (exceptions.InternalClientError("not connected"), Fault.TRANSIENT),
    "ended": (exceptions.InternalClientError("cannot switch to state 12; …"), Fault.TRANSIENT),
    "plan": (exceptions.InvalidCachedStatementError("cached plan is invalid"), Fault.TRANSIENT),
    "lost": (exceptions.ConnectionDoesNotExistError("in the middle"), Fault.OUTAGE),
    "feature": (exceptions.UnsupportedServerFeatureError("LISTEN"), None),
    "pool": (sa.exc.TimeoutError("QueuePool limit"), Fault.OUTAGE),
    "closed at once": (sa.exc.InvalidRequestError(CLOSED), Fault.TRANSIENT),
    "misuse": (sa.exc.InvalidRequestError("rolled back"), None),
    "refused": (ConnectionRefusedError(), Fault.OUTAGE),
    "bug": (KeyError("x"), None),
}


@pytest.mark.parametrize(("state", "means"), STATES)
def test_every_code_has_a_meaning(state: str, means: Fault | None) -> None:
    error = exceptions.PostgresError.new({"C": state, "M": "wrong"})

    assert error.sqlstate == state
    assert fault(error) is means
    assert fault(sa.exc.DBAPIError("SELECT", None, error)) is means


@pytest.mark.parametrize(("error", "means"), CLASSES.values(), ids=CLASSES.keys())
def test_every_class_has_a_meaning(error: Exception, means: Fault | None) -> None:
    assert fault(error) is means
