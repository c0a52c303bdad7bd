"""The server's side of a connection, with limits for slow and greedy clients."""

import logging
from asyncio import Protocol, TimerHandle, get_running_loop
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.kit.http.heads import Head, Refused
from app.kit.http.middleware import OTHER_METHOD, OTHER_ROUTE, is_probe, record_request
from app.kit.http.problems import TOO_MANY, TOO_SLOW
from app.kit.http.refusals import refusal
from app.kit.http.requests import MAX_HEAD_BYTES, TOO_LARGE, Requests

log = logging.getLogger(__name__)


class _HalfClosing:
    """A transport for an answer to a body that is not read: closing it could lose the answer."""

    def __init__(self, transport: Any, end: Callable[[], None]) -> None:
        self._transport, self.close = transport, end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Gathering:
    """A transport that sends the head of an answer and its body with one system call."""

    def __init__(self, transport: Any) -> None:
        self._transport, self._head = transport, b""

    def write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head or not data.startswith(b"HTTP/"):
            self._transport.write(head + data)
        else:
            self._head = data
            get_running_loop().call_soon(self._send_head)  # The body may come much later.

    def _send_head(self) -> None:
        if self._head:
            self.write(b"")

    def __getattr__(self, name: str) -> Any:
        self._send_head()
        return getattr(self._transport, name)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 by uvicorn, which gets one whole, checked request at a time.

    A connection that waits for its client is closed after ``STALL_SECONDS`` without progress; an
    idle one is kept for uvicorn's ``timeout_keep_alive``. At shutdown, requests that come within
    ``DRAIN_SECONDS`` are answered. The template's docs/decisions/connections.md lists the parts of
    uvicorn that this uses.
    """

    STALL_SECONDS = 8.0
    DRAIN_SECONDS = 1.0

    _head = b""  # Of the newest request.
    _answering = False
    _in_app = False  # The application has the request that is answered.
    _refused = False
    _at_eof = False
    _count = 0
    _seen: tuple[int, ...] = ()
    _seen_at = 0.0
    _timer: TimerHandle

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast(Any, Gathering(transport)))
        self._requests = Requests()
        self.app = self.app_state["slots"].freeing(self.app)
        self._check_progress()
        if self.app_state.get("stopping"):
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

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
        super().on_response_complete()
        self._continue()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg, self._head)

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
                self._refuse(error.status, error.detail, self._requests.head_so_far())
                return
            if not request:
                self._wait()
                return
            self._begin(*request)
        if len(self._requests.received) > MAX_HEAD_BYTES:
            self.transport.pause_reading()

    def _wait(self) -> None:
        if self._requests.is_incomplete():
            super().data_received(b"")  # Ends uvicorn's timer for idle connections.
        if self._requests.awaits_continue():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _begin(self, head: Head, body: bytes) -> None:
        slots = self.app_state["slots"]
        self._head, self._count = head.data, self._count + 1
        if slots.free <= 0 and not is_probe(head.path):
            self._answering = True
            slots.refuse_soon(partial(self._refuse_busy, head))
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
            if body == TOO_LARGE:
                cast(Any, self.cycle).transport = _HalfClosing(self.transport, self._end)
            if body == TOO_LARGE or self.app_state.get("stopping"):
                super().shutdown()  # The answer gets Connection: close.

    def _refuse_busy(self, head: Head) -> None:
        super().data_received(b"")
        self.app_state["slots"].count_refusal(self.app_state["metrics"])
        if not self.transport.is_closing():
            unread = self.transport.get_write_buffer_size()
            keep = head.keeps_alive() and not unread and not self.app_state.get("stopping")
            self._answer(503, TOO_MANY, head.data, keep=keep)
            self._continue()

    def _check_progress(self) -> None:
        """Close the connection if it made no progress, and look again later."""
        loop = get_running_loop()
        unread = self.transport.get_write_buffer_size()
        waits = unread or self._answering or self._refused or self._requests.is_incomplete()
        seen = (self._count, unread, bool(waits), self._refused)
        limit = self.STALL_SECONDS if waits else self.config.timeout_keep_alive
        if seen != self._seen or (self._answering and not unread):
            self._seen, self._seen_at = seen, loop.time()
        elif loop.time() - self._seen_at >= limit:
            self._time_out()
        self._timer = loop.call_later(self.STALL_SECONDS / 4, self._check_progress)

    def _time_out(self) -> None:
        if self._answering or self._refused or not self._requests.is_incomplete():
            self.transport.abort()
        else:
            self._refuse(408, TOO_SLOW, self._requests.head_so_far())

    def _refuse(self, status: int, detail: str, head: bytes) -> None:
        """Close the connection with an answer."""
        log.warning("%d: %s", status, detail)
        record_request(self.app_state["metrics"], OTHER_METHOD, OTHER_ROUTE, status, 0)
        self._answer(status, detail, head, keep=False)

    def _answer(self, status: int, detail: str, head: bytes, *, keep: bool) -> None:
        cors = self.app_state["cors"]
        self.transport.write(refusal(status, detail, head, keep=keep, cors=cors))
        if not keep:
            self._end()

    def _end(self) -> None:
        """Answer nothing more; what comes is dropped, since closing now could lose the answer."""
        self._refused, self._answering, self._requests = True, False, Requests()
        self.transport.write_eof()
