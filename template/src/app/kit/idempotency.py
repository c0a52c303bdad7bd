"""Keys by which a request that is sent again is known (``Idempotency-Key``)."""

from hashlib import sha256
from typing import Annotated

from pydantic import Field

MAX_KEY = 255

Key = Annotated[str, Field(min_length=1, max_length=MAX_KEY, pattern="^[!-~]+$")]


def digest(text: str) -> str:
    """Return what is kept of a text, to tell later whether another is the same."""
    return sha256(text.encode()).hexdigest()
