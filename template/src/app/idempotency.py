"""Keys by which a request that is sent again is known (``Idempotency-Key``)."""

from hashlib import sha256

MAX_KEY = 255


def digest(text: str) -> str:
    """Return what is kept of a text, to tell later whether another is the same."""
    return sha256(text.encode()).hexdigest()
