"""What a token may allow, and where a service that asks for none may be reached."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Literal, Protocol

from app.kit.errors import InvalidSettings

Access = Literal["read", "write"]


class InvalidToken(Exception):
    """The token is unknown, expired, or no token at all; which, the caller need not know."""


class TokenVerifier(Protocol):
    """Knows what each token allows."""

    async def access(self, token: str) -> frozenset[Access]:
        """Return what the token allows, in bounded time, whatever was sent as one.

        Raises ``InvalidToken``, or ``Unavailable`` if it cannot be known now.
        """
        ...


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Tell whether this machine only can reach an address, or ``localhost``."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def is_elsewhere(host: str) -> bool:
    """Tell whether the end of a connection is an address that is not of this machine only.

    A server tells addresses; a name is that of a test client, which needs no network.
    """
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_on_loopback(host: str, remedy: str) -> None:
    """Raise ``InvalidSettings`` if a service that asks for no token would be open to others."""
    if not is_loopback(host):
        raise InvalidSettings(f"HOST: the service would be open to anyone: {remedy}")
