"""Static tokens: ``AUTH_TOKENS`` has the hash of each, what it allows, its name and last day.

A token is 256 random bits, which cannot be guessed from a fast hash; slow hashes are for passwords.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from hmac import compare_digest

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from app.kit.auth.access import InvalidToken, TokenVerifier, require_loopback
from app.kit.caller import Access, Caller
from app.kit.errors import InvalidSettings
from app.kit.ids import now

ACCESS: dict[str, frozenset[Access]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"write"}),
    "read+write": frozenset({"read", "write"}),
}
FORM = "[NAME=]sha256:HASH:read+write[:YYYY-MM-DD] or [NAME=]sha256:HASH:read[:YYYY-MM-DD]"
NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that `.venv/bin/app token` made, and whose entry is in `AUTH_TOKENS`. "
    "Without any entry there, callers on the service's own machine need no token.",
}
REMEDY = "run `app token` and put the entry it prints into AUTH_TOKENS, or set HOST=127.0.0.1"

_ENTRY = re.compile(rf"(?:({NAME})=)?sha256:([0-9a-f]{{64}}):([a-z+]+)(?::(\d{{4}}-\d\d-\d\d))?")


class AuthSettings(BaseSettings):
    """The settings of authentication."""

    auth_tokens: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    public_paths: str = "/docs,/openapi.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of ``AUTH_TOKENS``; the token is valid until the end of ``last_day``, in UTC.

    A token without a name is named by its hash, so that two of them are two callers.
    """

    name: str
    digest: str
    access: frozenset[Access]
    last_day: date = date.max

    @classmethod
    def parse(cls, text: str) -> Entry:
        """Return the entry that ``new_token`` wrote, or raise ``ValueError``."""
        match = _ENTRY.fullmatch(text)
        if not match or match[3] not in ACCESS:
            raise ValueError(FORM)
        name, digest, access, day = match.groups()
        last_day = date.fromisoformat(day) if day else date.max
        return cls(name or f"sha256:{digest[:16]}", digest, ACCESS[access], last_day)


class Tokens(TokenVerifier):
    """The tokens of ``AUTH_TOKENS``; several at once, so that one can replace another."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    async def verify(self, token: str) -> Caller:
        """Return the caller who has the token, or raise ``InvalidToken``."""
        digest, today = _digest(token), now().date()
        found = [e for e in self._entries if compare_digest(e.digest, digest)]  # All of them.
        valid = [entry for entry in found if today <= entry.last_day]
        if not valid:
            raise InvalidToken
        return Caller(valid[0].name, frozenset().union(*(entry.access for entry in valid)))


def build_verifier(settings: AuthSettings) -> Tokens | None:
    """Return the verifier, or ``None`` without entries, which is allowed on loopback only.

    Raises ``InvalidSettings`` for a malformed entry.
    """
    entries = settings.auth_tokens.get_secret_value().replace(",", " ").split()
    if not entries:
        require_loopback(settings.host, REMEDY)
        return None
    return Tokens([_parse(number, text) for number, text in enumerate(entries, start=1)])


def new_token(access: str, last_day: date | None, name: str = "") -> tuple[str, str]:
    """Return a new token, and its entry for ``AUTH_TOKENS``, which does not reveal it."""
    token = secrets.token_urlsafe(32)
    parts = ["sha256", _digest(token), access] + ([last_day.isoformat()] if last_day else [])
    return token, (f"{name}=" if name else "") + ":".join(parts)


def _parse(number: int, text: str) -> Entry:
    try:
        return Entry.parse(text)
    except ValueError:
        raise InvalidSettings(f"AUTH_TOKENS: entry {number} is not of the form {FORM}") from None


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
