"""The interface of token verifiers; a service without tokens stays on loopback."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from app.kit.caller import Caller
from app.kit.errors import InvalidSettings


class InvalidToken(Exception):
    """The token is unknown, expired or malformed; the caller does not learn which."""


class TokenVerifier(Protocol):
    """Verifies bearer tokens."""

    async def verify(self, token: str) -> Caller:
        """Return the caller who has the token, in bounded time for any input.

        Raises ``InvalidToken``, or ``Unavailable`` if the token cannot be verified now.
        """
        ...


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Return whether an address, or ``localhost``, can only be reached from this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def is_remote(host: str) -> bool:
    """Return whether an end of a connection is an address of another machine.

    Servers give addresses. A name is that of a test client, which uses no network.
    """
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return False


def require_loopback(host: str, remedy: str) -> None:
    """Raise ``InvalidSettings`` if a service without tokens would listen beyond this machine."""
    if not is_loopback(host):
        raise InvalidSettings(f"HOST: the service would be open to anyone: {remedy}")
