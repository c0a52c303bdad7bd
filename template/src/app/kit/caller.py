"""Who sends a request, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    ``subject`` is the name of a token of ``AUTH_TOKENS``, or ``sub`` of a JWT, whose other
    ``claims`` are there too. It is empty where nobody was asked for a token.
    """

    subject: str
    access: frozenset[Access]
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def may(self, access: Access) -> bool:
        """Return whether the caller may read, or may write."""
        return access in self.access


ANONYMOUS = Caller("", frozenset({"read", "write"}))
"""Whoever may do what they ask for without a token."""
