"""What the textbook services have in common."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, Field


class NoteCreate(BaseModel):
    """What a client sends."""

    content: str = Field(min_length=1, max_length=255)


class NoteUpdate(BaseModel):
    """What a client changes."""

    content: str | None = Field(default=None, min_length=1, max_length=255)


def uuid7() -> UUID:
    """Return a UUID that sorts by time: what ``uuid.uuid7`` is from Python 3.14 on."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | secrets.randbits(76)
    return UUID(int=value & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62)


def utc_now() -> datetime:
    """Return the present time with its zone."""
    return datetime.now(UTC)
