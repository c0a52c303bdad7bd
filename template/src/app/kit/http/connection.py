"""A connection that can be refused: its client is too slow, sends what is no HTTP, or too much."""

import logging
from asyncio import TimerHandle, get_running_loop
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.kit.http.limits import TOO_MANY
from app.kit.http.middleware import OTHER_METHOD, OTHER_ROUTE, record_request
from app.kit.http.problems import TOO_SLOW
from app.kit.http.refusals import refusal
from app.kit.http.requests import Head, Requests

log = logging.getLogger(__name__)


class Connection(HttpToolsProtocol):
    """A connection of uvicorn's.

    One that waits for its client is closed after ``STALL_SECONDS`` without progress; an idle one is
    kept for uvicorn's ``timeout_keep_alive``.
    """

    STALL_SECONDS = 8.0

    _requests: Requests
    _head = b""  # Of the newest request.
    _answering = False
    _refused = False
    _count = 0  # Of the requests that have begun.
    _seen: tuple[int, ...] = ()
    _seen_at = 0.0
    _timer: TimerHandle

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._requests = Requests()
        self._check_progress()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

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

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg, self._head)

    def _refuse(self, status: int, detail: str, head: bytes) -> None:
        """Close the connection with an answer."""
        log.warning("%d: %s", status, detail)
        record_request(self.app_state["metrics"], OTHER_METHOD, OTHER_ROUTE, status, 0)
        self._answer(status, detail, head, keep=False)

    def _refuse_busy(self, head: Head) -> None:
        """Answer that there is no free slot."""
        self.app_state["slots"].count_refusal()
        metrics, unread = self.app_state["metrics"], self.transport.get_write_buffer_size()
        metrics.failures.labels("overload").inc()
        metrics.request_seconds(OTHER_METHOD, OTHER_ROUTE, 503).observe(0)
        keep = head.keeps_alive() and not unread and not self.app_state.get("stopping")
        if not self.transport.is_closing():
            self._answer(503, TOO_MANY, head.data, keep=keep)

    def _answer(self, status: int, detail: str, head: bytes, *, keep: bool) -> None:
        cors = self.app_state["cors"]
        self.transport.write(refusal(status, detail, head, keep=keep, cors=cors))
        if not keep:
            self._end()

    def _end(self) -> None:
        """Answer nothing more; what comes is dropped, since closing now could lose the answer."""
        self._refused, self._answering, self._requests = True, False, Requests()
        self.transport.write_eof()
