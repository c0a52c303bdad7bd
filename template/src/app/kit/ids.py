"""Ids and times, made in Python so that they are the same on every database."""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic_core import SchemaValidator
from pydantic_core.core_schema import (
    chain_schema,
    custom_error_schema,
    nullable_schema,
    str_schema,
    uuid_schema,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562), greater than every id this process has made before.

    48 bits of Unix milliseconds, then 74 bits, of which 73 are random. Within one millisecond, or
    when the clock goes back, the last id is incremented instead.
    """
    global _last
    with _lock:
        fresh = (time.time_ns() // 1_000_000 << 74) | secrets.randbits(73)
        _last = max(fresh, _last + 1 + secrets.randbits(32))
        value = _last
    time_bits, rand_a, rand_b = value >> 74, value >> 62 & 0xFFF, value & (1 << 62) - 1
    return UUID(int=time_bits << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)


# They take a fifth of the time of ``UUID``. The first reads text, hexadecimal digits and bytes.
to_uuid = SchemaValidator(nullable_schema(uuid_schema())).validate_python

_HYPHENATED = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_ID = chain_schema([str_schema(pattern=_HYPHENATED, strict=True), uuid_schema()])
parse_id: Callable[[object], UUID] = SchemaValidator(
    custom_error_schema(_ID, "uuid", custom_error_message="Not a UUID")
).validate_python
"""Return a UUID from its hyphenated form, upper or lower case, or raise ``ValueError``."""


def time_of(made: UUID) -> datetime:
    """Return when ``new_id`` made an id, in UTC and whole milliseconds.

    So times of creation are in the order of the ids, also across processes.
    """
    return EPOCH + timedelta(milliseconds=made.int >> 80)


def now() -> datetime:
    """Return the present time in UTC, in whole milliseconds, which every database can keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
