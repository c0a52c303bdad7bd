"""Why a database cannot do what is asked of it."""

from collections.abc import Sequence
from enum import Enum

from app.kit.errors import InvalidSettings, Unavailable

BROKEN = "A revision cannot be applied: what is stored breaks the rule of {}; change that first."


class Fault(Enum):
    """Why a database could not execute a correct operation."""

    NOT_ALLOWED = "The database does not allow this."  # Missing right, or read-only.
    OUTAGE = "The database is unavailable."
    SCHEMA = "The database's schema is not the one needed: run `app migrate`."
    SNAPSHOT_EXPIRED = "The database keeps no snapshot for so long."
    TRANSIENT = "The database is too busy."  # It can be retried.


def unavailable(fault: Fault, reason: str = "") -> Unavailable:
    """Return the error for a fault."""
    return Unavailable(fault.value, reason, kind=fault.name.lower())


def require_version(found: Sequence[int], oldest: Sequence[int]) -> None:
    """Raise ``InvalidSettings`` for a server that is too old for the schema."""
    if tuple(found) < tuple(oldest):
        has, needed = (".".join(map(str, version)) for version in (found, oldest))
        raise InvalidSettings(f"DATABASE_URL: the server is version {has}; {needed} is the oldest")
