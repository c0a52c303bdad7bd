"""The server's end of a connection, whose client may be slow, greedy or gone."""

from asyncio import TimerHandle
from typing import Any

from starlette.datastructures import Headers
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.kit import logs
from app.kit.http.limits import MAX_BODY_BYTES
from app.kit.http.middleware import OTHER_METHOD, OTHER_ROUTE, record_request, request_id_of
from app.kit.http.problems import problem
from app.kit.http.security_headers import NOT_FOR_BROWSERS

MAX_HEAD_BYTES = 16 * 1024
MAX_REQUEST_BYTES = MAX_HEAD_BYTES + 6 * MAX_BODY_BYTES  # A chunk of one byte takes six.
PIECE_BYTES = 4 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 by uvicorn, with an end to the bytes and the time that a client may take.

    A head of more than ``MAX_HEAD_BYTES`` is refused, by a piece more or less. A connection is
    looked at every ``LOOK_SECONDS``; one that waits for its client twice, and has got nothing done
    in between, ends. Requests that came entirely before the end are answered. At shutdown, what
    comes within ``DRAIN_SECONDS`` is, too.
    """

    LOOK_SECONDS = 10.0  # Longer than BodyLimit waits, which has the better answer.
    DRAIN_SECONDS = 1.0

    _next_look: TimerHandle
    _seen: tuple[Any, int] = (None, -1)
    _cycles: tuple[RequestResponseCycle, ...] = ()  # Those that may not be answered yet.
    _began = 0.0
    _received = 0
    _ending = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._began = self.loop.time()
        self._next_look = self.loop.call_later(self.LOOK_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._next_look.cancel()
        for cycle in self._cycles:  # The server tells only the last one.
            cycle.disconnected = True
        super().connection_lost(exc)

    def eof_received(self) -> Any:
        """Answer a client that has said all and still listens."""
        return self._end_after_answers()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            super().data_received(piece)
            self._received += len(piece)
            if self._received > MAX_HEAD_BYTES:
                self._refuse_too_much()
            if self._ending or self.transport.is_closing():
                return

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._began = self.loop.time()
        self._received = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.rstrip(b" \t"))  # The parser strips the left only.

    def on_headers_complete(self) -> None:
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise ValueError("It is to name one host.")  # The parser ends, and 400 is answered.
        super().on_headers_complete()
        unanswered = (cycle for cycle in self._cycles if not cycle.response_complete)
        self._cycles = (*unanswered, self.cycle)
        self.headers = []  # What comes now are trailers, which say nothing here.
        if self.app_state.get("stopping"):
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def shutdown(self) -> None:
        self.app_state["stopping"] = True
        if self._is_idle():
            self.loop.call_later(self.DRAIN_SECONDS, self._close_if_idle)
        else:
            super().shutdown()

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _end_after_answers(self) -> bool:
        """Take no more, and end with the answers to complete requests; tell if there are any."""
        complete = [c for c in self._cycles if not (c.more_body or c.response_complete)]
        if complete:
            complete[-1].keep_alive = False
            self._ending = True
        return bool(complete)

    def _in_head(self) -> bool:
        """Tell whether a request has begun whose head is not complete."""
        return self.scope is not None and (not self.cycle or self.cycle.scope is not self.scope)

    def _is_idle(self) -> bool:
        return not self._in_head() and (not self.cycle or self.cycle.response_complete)

    def _waits_for_client(self) -> bool:
        """Tell whether the client is to send more, or to read; idle ones uvicorn ends by itself."""
        unfinished = self._in_head() or not self.cycle or self.cycle.more_body
        return unfinished or (self.cycle.response_complete and not self.timeout_keep_alive_task)

    def _look(self) -> None:
        unread = self.transport.get_write_buffer_size()
        scope, unread_before = self._seen
        if scope is self.scope and unread == unread_before:
            self._give_up()
        waits = unread or self._waits_for_client()
        self._seen = (self.scope, unread) if waits else (None, -1)
        self._next_look = self.loop.call_later(self.LOOK_SECONDS, self._look)

    def _give_up(self) -> None:
        if self._in_head() and not self.transport.is_closing():
            self._refuse(408, "The request took too long to arrive.")
        else:
            self.transport.abort()

    def _refuse_too_much(self) -> None:
        if self._in_head():
            status = 431 if self.headers else 414
            self._refuse(status, f"The head of the request is over {MAX_HEAD_BYTES} bytes.")
        elif self._received > MAX_REQUEST_BYTES and not self.cycle.response_started:
            self._refuse(413, f"The request is over {MAX_REQUEST_BYTES} bytes.")

    def _refuse(self, status: int, detail: str) -> None:
        """Answer where no application is asked, and close the connection."""
        if self._end_after_answers():
            return
        request_id = request_id_of(Headers(raw=list(self.scope["headers"]) if self.scope else []))
        logs.request_id.set(request_id)
        answer = problem(status, detail)
        own = [(b"x-request-id", request_id.encode()), (b"connection", b"close")]
        headers = [*self.server_state.default_headers, *answer.raw_headers, *NOT_FOR_BROWSERS, *own]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + bytes(answer.body))
        self.transport.close()
        self.logger.warning("%d: %s", status, detail)
        if self._in_head():  # Later the application tells.
            seconds = self.loop.time() - self._began
            record_request(self.app_state["metrics"], OTHER_METHOD, OTHER_ROUTE, status, seconds)
