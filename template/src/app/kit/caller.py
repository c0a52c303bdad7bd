"""Who sends a request, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: ``subject`` names them, and is empty where no token is required.

    ``claims`` are what a signed token says of them; other tokens have none.
    """

    subject: str
    access: frozenset[Access]
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def may(self, access: Access) -> bool:
        """Return whether the caller may read, or may write."""
        return access in self.access


ANONYMOUS = Caller("", frozenset({"read", "write"}))
"""The caller of a request that needs no token."""
