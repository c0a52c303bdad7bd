"""The listening sockets."""

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.kit.errors import InvalidSettings

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as Loop
else:
    from uvloop import Loop

Address = tuple[socket.AddressFamily, tuple[Any, ...]]

log = logging.getLogger(__name__)

BACKLOG = 2048
NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""Errors of an address family that is switched off."""


class EventLoop(Loop):
    """An event loop that resets no connection which the kernel has already accepted."""

    async def create_server(self, *args: Any, **options: Any) -> Any:
        server = await super().create_server(*args, **options)
        return _Listening(server, args[0], options["sock"].dup())


class _Listening:
    """A listening server; it has the methods that uvicorn calls."""

    def __init__(self, server: Any, factory: Callable[[], Any], copy: socket.socket) -> None:
        self._server, self._factory, self._copy = server, factory, copy
        self.wait_closed = server.wait_closed

    def close(self) -> None:
        """Stop listening, and serve the connections that wait in the kernel's queue."""
        self._server.close()
        connections = []
        with self._copy, suppress(BlockingIOError):
            while True:
                connections.append(self._copy.accept()[0])
        self._task = asyncio.create_task(self._serve(connections))

    async def _serve(self, connections: list[socket.socket]) -> None:
        for connection in connections:
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            _, protocol = await loop.connect_accepted_socket(self._factory, connection)
            protocol.shutdown()


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets for all addresses of a host; ``::`` is every address, also of IPv4.

    Raises ``InvalidSettings``.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        listeners = _listen(_addresses(host, port))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "this is not the name of a host"
        reason = reason.partition(" (")[0]  # Python appends the address.
        raise InvalidSettings(f"HOST, PORT: cannot listen on {place}: {reason}") from None
    log.info("Listening on http://%s", place)
    return listeners


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses: list[Address] = [(family, address) for family, *_, address in found]
    if any(address[0] == "::" for _, address in addresses):
        addresses.append((socket.AF_INET, ("0.0.0.0", port)))
    return list(dict.fromkeys(addresses))


def _listen(addresses: list[Address]) -> list[socket.socket]:
    listeners, failed = [], OSError()
    for family, address in addresses:
        try:
            listeners.append(socket.create_server(address, family=family, backlog=BACKLOG))
        except OSError as error:
            if error.errno not in NOT_HERE:
                raise
            failed = error
    if not listeners:
        raise failed
    return listeners
