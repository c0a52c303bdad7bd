"""A cheap HTTP client that keeps a few connections busy and checks each answer's status."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """A request, again and again, that must be answered with ``status``.

    Each connection takes one of the paths.
    """

    paths: tuple[str, ...]
    method: str = "GET"
    body: str = ""
    status: int = 200
    token: str = ""

    def bytes(self, port: int, number: int) -> bytes:
        """Return the request as the connection of this number sends it."""
        path = self.paths[number % len(self.paths)]
        head = f"{self.method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return (head + "\r\n" + self.body).encode()


@dataclass
class Load:
    """What one measure did: its seconds, the milliseconds of each request, and the last body."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    body: Any = None


class _Connection(asyncio.Protocol):
    def __init__(self, call: Call, request: bytes, end: float, load: Load) -> None:
        self.request, self.end, self.load = request, end, load
        self.status = b"HTTP/1.1 %d" % call.status
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self.received, self.expected, self.began = b"", -1, time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.expected < 0:
            head, separator, _ = self.received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = LENGTH.search(head)
            if not head.startswith(self.status) or not length:
                self._finish(AssertionError(self.received.decode()))
                return
            self.head = len(head) + 4
            self.expected = self.head + int(length[1])
        if len(self.received) >= self.expected:
            self._answered()

    def _answered(self) -> None:
        now = time.perf_counter()
        self.load.milliseconds.append((now - self.began) * 1000)
        if now < self.end:
            self._ask()
        else:
            self.load.body = self.received[self.head :]
            self._finish()

    def _finish(self, error: Exception | None = None) -> None:
        if not self.done.done():
            self.done.set_exception(error) if error else self.done.set_result(None)
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._finish(ConnectionError("The service closed the connection."))


async def _run(call: Call, port: int, seconds: float, connections: int) -> Load:
    load = Load()
    began = time.perf_counter()
    end = began + seconds
    loop = asyncio.get_running_loop()
    clients = [_Connection(call, call.bytes(port, n), end, load) for n in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    await asyncio.gather(*(client.done for client in clients))
    load.seconds = time.perf_counter() - began
    load.body = json.loads(load.body)
    return load


def run(call: Call, port: int, seconds: float, connections: int) -> Load:
    """Repeat a request for some seconds; the first answer with another status raises."""
    return asyncio.run(_run(call, port, seconds, connections))
