"""Several hosts of one database: connections go to the last one that was usable."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from app.kit.storage.operations import OPERATION_SECONDS

C = TypeVar("C")

Host = tuple[str, int]


class LastResort(Exception):
    """The host is usable, but others are better."""


class Hosts(Generic[C]):
    """Connects to the first usable host, beginning with the last one that was.

    ``connect`` opens a connection to a host, or raises an error if the host is not usable. It may
    raise ``LastResort``; then it is called again with ``True`` if no other host is usable.
    """

    def __init__(self, hosts: Sequence[Host], connect: Callable[..., Awaitable[C]]) -> None:
        self._hosts, self._connect, self._first = hosts, connect, 0
        # If some hang, there must be time for the others, and for the operation.
        self._seconds = OPERATION_SECONDS / (len(hosts) + (len(hosts) > 1))

    async def connect(self, **options: Any) -> C:
        """Return a connection; raise ``ConnectionError`` with the reasons of several hosts."""
        count, reasons = len(self._hosts), []
        turns = [((self._first + i) % count, False) for i in range(count)]
        for number, is_last_resort in turns:
            try:
                async with asyncio.timeout(self._seconds):
                    connection = await self._connect(self._hosts[number], is_last_resort, **options)
            except LastResort:
                turns.append((number, True))
            except Exception as error:
                if count == 1:
                    raise
                host, port = self._hosts[number]
                reasons.append(f"{host}:{port}: {type(error).__name__}: {error}")
            else:
                self._first = number
                return connection
        raise ConnectionError("; ".join(reasons))

    def leave(self, host: Host) -> None:
        """Try this host last from now on."""
        if self._hosts[self._first] == host:
            self._first = (self._first + 1) % len(self._hosts)
