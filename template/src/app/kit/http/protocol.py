"""The server's side of a connection, with limits for slow and greedy clients."""

import logging
import re
from asyncio import Protocol, TimerHandle, get_running_loop
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.kit.http.heads import END, MAX_HEAD_BYTES, Head, Refused, read_head
from app.kit.http.limits import MAX_BODY_BYTES, TOO_MANY
from app.kit.http.middleware import OTHER_METHOD, OTHER_ROUTE, is_probe, record_request
from app.kit.http.refusals import refusal

log = logging.getLogger(__name__)

MAX_CHUNKED_BYTES = 6 * MAX_BODY_BYTES  # A chunk with one byte of data has six.

_PART_OF_END = re.compile(rb"(\r\n\r|\r\n|\r|)\Z")


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 by uvicorn, which gets one checked head at a time and then the bytes of its body.

    A connection that waits for its client is closed after ``STALL_SECONDS`` without progress; an
    idle one is kept for uvicorn's ``timeout_keep_alive``. At shutdown, requests that come within
    ``DRAIN_SECONDS`` are answered. The template's docs/decisions/connections.md lists the parts of
    uvicorn that this uses.
    """

    STALL_SECONDS = 10.0  # Longer than BodyLimit waits: its answer is better.
    DRAIN_SECONDS = 1.0

    _buffer = b""
    _head = b""  # Of the request that is read or answered.
    _begun = False  # The application has the request.
    _left: int | None = 0  # Bytes of the body to come; None for chunks.
    _chunked_bytes = 0
    _head_began = 0.0  # When an incomplete head began.
    _in_body = False
    _answering = False
    _refused = False
    _at_eof = False
    _requests = 0
    _seen: tuple[int, ...] = ()
    _seen_at = 0.0
    _timer: TimerHandle

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app = self.app_state["slots"].freeing(self.app)
        self._check_progress()
        if self.app_state.get("stopping"):
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> Any:
        """Answer a client that has closed its writing side only."""
        self._at_eof = True
        return self._answering and not self._in_body

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._buffer += data
            self._advance()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._continue()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def shutdown(self) -> None:
        self.app_state["stopping"] = True
        if self._answering and self._begun:
            super().shutdown()
        else:
            get_running_loop().call_later(self.DRAIN_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._is_idle() or self._refused:
            self.transport.close()

    def _is_idle(self) -> bool:
        return not (self._buffer or self._in_body or self._answering or self._refused)

    def _continue(self) -> None:
        """Continue with what came after a request that is answered."""
        self._answering = False
        self.transport.resume_reading()
        self._advance()
        if self._at_eof and not self._answering:
            self.transport.close()

    def _advance(self) -> None:
        """Feed the parser the received part of a body, or the next head once all is answered."""
        while self._buffer and not self._refused and not self.transport.is_closing():
            ready = self._in_body or not self._answering
            if not ready or not (self._feed_body() if self._in_body else self._take_head()):
                break
        if self._answering and len(self._buffer) > MAX_HEAD_BYTES:
            self.transport.pause_reading()

    def _take_head(self) -> bool:
        """Start the next request; return whether its head is complete."""
        self._buffer = self._buffer.lstrip(b"\r\n")
        self._head, self._begun = self._buffer[:MAX_HEAD_BYTES], False
        self._head_began = self._head_began or get_running_loop().time()
        try:
            head = read_head(self._buffer) if self._buffer else None
        except Refused as error:
            self._refuse(error.status, error.detail)
            return False
        if head:
            self._requests += 1
            self._buffer = self._buffer[len(head.data) :]
            self._begin(head)
        elif self._buffer:
            super().data_received(b"")  # Ends uvicorn's timer for idle connections.
        return bool(head)

    def _begin(self, head: Head) -> None:
        slots = self.app_state["slots"]
        if slots.free <= 0 and not is_probe(head.path):
            self._answering = True
            super().data_received(b"")
            slots.refuse_soon(partial(self._refuse_busy, head))
            return
        self._head_began = 0.0
        self._left, self._chunked_bytes, self._in_body = head.length, 0, True
        handshake = head.is_handshake() and self.app_state["takes_websocket"](head.path)
        super().data_received(head.data if handshake else head.without_upgrade())
        if (protocol := self.transport.get_protocol()) is not self:
            self._timer.cancel()
            cast(Protocol, protocol).data_received(self._buffer)
            self._buffer = b""
        elif not self._refused:
            self._begun = self._answering = True
            slots.free -= 1
            self.headers = []  # Trailers would be appended to it; they are ignored.
            if self.app_state.get("stopping"):
                super().shutdown()  # The answer gets Connection: close.

    def _refuse_busy(self, head: Head) -> None:
        self.app_state["slots"].count_refusal(self.app_state["metrics"])
        if not self.transport.is_closing():
            self._answer(503, TOO_MANY, keep=self._skip_body(head))
            self._continue()

    def _skip_body(self, head: Head) -> bool:
        """Skip the body of a refused request; return whether the connection can be kept."""
        if head.length is None or head.length > len(self._buffer):
            return False
        self._buffer = self._buffer[head.length :]
        unread = self.transport.get_write_buffer_size()
        return head.keeps_alive() and not unread and not self.app_state.get("stopping")

    def _feed_body(self) -> bool:
        """Feed the parser the received part of the body; return whether there was any."""
        if self._left is None:
            return self._feed_chunks()
        body, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        self._left -= len(body)
        super().data_received(body)
        if self._in_body != (self._left > 0):
            self.transport.abort()  # The parser disagrees about the length: not safe.
        return True

    def _feed_chunks(self) -> bool:
        """Feed the parser up to each empty line, since one of them ends the body."""
        data, begin = self._buffer, 0
        while self._in_body and (end := data.find(END, begin)) >= 0:
            super().data_received(data[begin : end + len(END)])
            begin = end + len(END)
        if self._in_body and (part := _PART_OF_END.search(data, max(begin, len(data) - 3))):
            super().data_received(data[begin : part.start()])
            begin = part.start()
        self._buffer = data[begin:]
        self._chunked_bytes += begin
        if self._chunked_bytes > MAX_CHUNKED_BYTES and self._in_body:
            self._refuse(413, f"The chunks of the body are over {MAX_CHUNKED_BYTES} bytes.")
        return begin > 0

    def _check_progress(self) -> None:
        """Close the connection if it made no progress, and look again later."""
        loop = get_running_loop()
        idle, unread = self._is_idle(), self.transport.get_write_buffer_size()
        seen = (self._requests, unread, idle, self._refused)
        limit = self.config.timeout_keep_alive if idle else self.STALL_SECONDS
        if seen != self._seen or not (unread or self._in_body or not self._answering):
            self._seen, self._seen_at = seen, loop.time()
        elif loop.time() - self._seen_at >= limit * 0.99:
            self._time_out()
        self._timer = loop.call_later(self.STALL_SECONDS, self._check_progress)

    def _time_out(self) -> None:
        if self._begun or self._refused or not self._buffer:
            self.transport.abort()
        else:
            self._refuse(408, "The request took too long to arrive.")

    def _refuse(self, status: int, detail: str) -> None:
        """Close the connection, with an answer unless one has begun."""
        log.warning("%d: %s", status, detail)
        if not self._begun:  # Else RequestContext records it.
            seconds = get_running_loop().time() - self._head_began
            metrics = self.app_state["metrics"]
            record_request(metrics, OTHER_METHOD, OTHER_ROUTE, status, seconds)
        self._answer(status, detail, keep=False)

    def _answer(self, status: int, detail: str, *, keep: bool) -> None:
        if not (self._begun and self.cycle.response_started):
            cors = self.app_state["cors"]
            self.transport.write(refusal(status, detail, self._head, keep=keep, cors=cors))
        if keep:
            return
        self._refused, self._in_body, self._buffer = True, False, b""
        if self._begun:
            self.transport.close()
        else:
            self.transport.write_eof()  # Closing with unread bytes could lose the answer.
