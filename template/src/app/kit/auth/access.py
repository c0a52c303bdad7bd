"""What verifies tokens, and where a service that asks for none may be reached."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from app.kit.caller import Caller
from app.kit.errors import InvalidSettings


class InvalidToken(Exception):
    """The token is unknown, expired, or no token at all; callers are not told which."""


class TokenVerifier(Protocol):
    """Knows whose each token is, and what it allows."""

    async def verify(self, token: str) -> Caller:
        """Return who has the token, in bounded time, whatever was sent as one.

        Raises ``InvalidToken``, or ``Unavailable`` if it cannot be known now.
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
def is_elsewhere(host: str) -> bool:
    """Return whether the end of a connection is an address of another machine.

    A server gives addresses; a name is that of a test client, which needs no network.
    """
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_on_loopback(host: str, remedy: str) -> None:
    """Raise ``InvalidSettings`` if a service that asks for no token would be open to others."""
    if not is_loopback(host):
        raise InvalidSettings(f"HOST: the service would be open to anyone: {remedy}")
