"""The server's side of HTTP/1.1: one whole, checked request after the other."""

from asyncio import Protocol, get_running_loop
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from app.kit.http.connection import Connection
from app.kit.http.limits import MAX_HEAD_BYTES, TOO_LARGE, Refused
from app.kit.http.middleware import is_probe
from app.kit.http.requests import Head


class Gathering:
    """The transport of one answer: it sends the head with the body, in one system call."""

    _head: bytes | None = None

    def __init__(self, transport: Any, close: Callable[[], None]) -> None:
        self._transport, self._close = transport, close

    def write(self, data: bytes) -> None:
        if self._head is None:
            self._head = data
            get_running_loop().call_soon(self.flush)  # The body may come much later.
        else:
            head, self._head = self._head, b""
            self._transport.write(head + data)

    def flush(self) -> None:
        """Send the head if it has waited until now."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._close()


class BoundedProtocol(Connection):
    """HTTP/1.1 by uvicorn, which gets one whole, checked request at a time.

    At shutdown, requests that come within ``DRAIN_SECONDS`` are answered. The template's
    docs/decisions/connections.md lists the parts of uvicorn that this uses.
    """

    DRAIN_SECONDS = 1.0

    _in_app = False  # The application has the request that is answered.
    _at_eof = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app, self._reply = self._run_app, Gathering(transport, transport.close)
        if self.app_state.get("stopping"):
            self.shutdown()

    async def _run_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.config.loaded_app(scope, receive, send)
        finally:
            self.app_state["slots"].free += 1

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._requests.received += data
            self._advance()

    def eof_received(self) -> Any:
        """Answer a client that has closed its writing side only."""
        self._at_eof = True
        self._close_at_eof()
        return self._answering

    def on_response_complete(self) -> None:
        self._reply.flush()
        super().on_response_complete()
        self._continue()

    def shutdown(self) -> None:
        self.app_state["stopping"] = True
        if self._in_app:
            super().shutdown()
        else:
            get_running_loop().call_later(self.DRAIN_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._refused or not (self._answering or self._requests.is_incomplete()):
            self.transport.close()

    def _continue(self) -> None:
        """Continue with what came after a request that is answered."""
        self._answering = self._in_app = False
        self.transport.resume_reading()
        self._advance()
        self._close_at_eof()

    def _close_at_eof(self) -> None:
        if self._at_eof and not self._answering:
            if self._requests.is_incomplete():
                self._refuse(400, "The request is not complete.", self._requests.head_so_far())
            self.transport.close()

    def _advance(self) -> None:
        """Take the requests that have come, each once the one before it is answered."""
        while not (self._answering or self._refused or self.transport.is_closing()):
            try:
                request = self._requests.next()
            except Refused as error:
                return self._refuse(error.status, error.detail, self._requests.head_so_far())
            if not request:
                return self._wait()
            self._begin(*request)
        if len(self._requests.received) > MAX_HEAD_BYTES:
            self.transport.pause_reading()

    def _wait(self) -> None:
        if self._requests.is_incomplete():
            super().data_received(b"")  # Ends uvicorn's timer for idle connections.
        if self._requests.awaits_continue:
            self._requests.awaits_continue = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _begin(self, head: Head, body: bytes) -> None:
        slots = self.app_state["slots"]
        self._head, self._count = head.data, self._count + 1
        if slots.free <= 0 and not is_probe(head.path):
            self._answering = True
            slots.refuse_soon(partial(self._refuse_soon, head))
            return
        handshake = head.is_handshake() and self.app_state["takes_websocket"](head.path)
        super().data_received(head.data if handshake else head.with_body(body))
        self._answering = not self._refused
        if (protocol := self.transport.get_protocol()) is not self:
            self._timer.cancel()
            cast(Protocol, protocol).data_received(bytes(self._requests.received))
        elif self._answering:
            self._in_app = True
            slots.free -= 1
            close = self._end if body == TOO_LARGE else self.transport.close
            self._reply = cast(Any, self.cycle).transport = Gathering(self.transport, close)
            if body == TOO_LARGE or self.app_state.get("stopping"):
                super().shutdown()  # The answer gets Connection: close.

    def _refuse_soon(self, head: Head) -> None:
        super().data_received(b"")
        self._refuse_busy(head)
        self._continue()
