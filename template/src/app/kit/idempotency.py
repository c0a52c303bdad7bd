"""Keys that identify a request which is sent again (``Idempotency-Key``)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field

MAX_KEY = 255

T = TypeVar("T")

Key = Annotated[str, Field(min_length=1, max_length=MAX_KEY, pattern="^[!-~]+$")]


Recorded = Annotated[T | None, Field(exclude_if=lambda value: value is None)]
"""A field of a dump's record: the request with a key; without one, the field is left out."""


@dataclass(slots=True)
class FirstRequest:
    """The request that added a resource: its key, and the digest of its body."""

    key: Key
    sha256: Annotated[str, Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]


def digest(text: str) -> str:
    """Return the SHA-256 of a text, to compare it with another later."""
    return sha256(text.encode()).hexdigest()


def first_request(key: str | None, body: type[BaseModel], resource: Any) -> FirstRequest | None:
    """Return the record of the request that adds a resource, if it has a key."""
    return FirstRequest(key, digest(_written(body, resource))) if key else None


def _written(body: type[BaseModel], resource: Any) -> str:
    """Return all that a client wrote, as one text.

    A field with its default value is left out, so that a field added later keeps old keys valid.
    """
    parts = []
    for name, field in body.model_fields.items():
        value = getattr(resource, name)
        if field.is_required() and isinstance(value, str):
            parts.append(value)
        elif field.is_required() or value != field.get_default(call_default_factory=True):
            parts.append(f"\0{name}={value!r}")  # No text of a client has NUL.
    return "\0".join(parts)
