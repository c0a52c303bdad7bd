"""What every request passes, as plain ASGI."""

import logging
import re
import time
from collections.abc import Iterable
from inspect import isawaitable
from uuid import uuid4

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit import logs
from app.kit.http.limits import MAX_BODY_BYTES
from app.kit.http.problems import TOO_LARGE, problem
from app.kit.http.websockets import open_websocket
from app.kit.metrics import Metrics
from app.kit.tracing import trace_of

log = logging.getLogger("app.http")
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
BEGINNINGS = {"http.response.start", "websocket.http.response.start", "websocket.accept"}
OTHER_METHOD, OTHER_ROUTE = "_OTHER", "other"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
LINE, FIELDS = "%s %s %d %.1f ms", ("method", "route", "status", "duration_ms")
CSP = b"content-security-policy"
ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
NO_PAGE = (CSP, b"default-src 'none'; frame-ancestors 'none'")
KEEP_NONE = (b"cache-control", b"no-store")
KEEP_AND_ASK = (b"cache-control", b"private, no-cache")  # Revalidated by If-None-Match.
NOT_FOR_BROWSERS = (*ALWAYS, NO_PAGE, KEEP_NONE)


class RequestContext:
    """Add an id, security headers and a log line to each request; answer 500 after an exception.

    Browsers may not sniff, frame or run an answer, or cache it without revalidation; an answer's
    own policy is kept, such as that of ``/docs``. ``HEAD`` is answered like ``GET``, of which the
    server drops the body.
    """

    def __init__(self, app: ASGIApp, *, hsts_seconds: int) -> None:
        self.app = app
        hsts = (b"strict-transport-security", b"max-age=%d" % hsts_seconds)
        self.always = (*ALWAYS, hsts) if hsts_seconds else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, send, self.always)
        logs.request_id.set(exchange.request_id)
        if "fastapi.telemetry" in scope:
            logs.trace_id.set(trace_of(scope))
        if scope["type"] == "websocket":  # Its duration would distort the metrics.
            await open_websocket(self.app, exchange, receive)
            return
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self.app(asked, receive, exchange.send)
        except Exception as error:
            await exchange.answer_bug(error, receive)
        finally:
            scope.update(asked, method=scope["method"])
            exchange.record()


class _Exchange:
    """A request and its answer."""

    def __init__(self, scope: Scope, send: Send, always: Iterable[tuple[bytes, bytes]]) -> None:
        self.scope, self._send, self._always = scope, send, always
        self.handlers = scope["app"].exception_handlers  # Mounted applications change it later.
        self.metrics: Metrics = scope["state"]["metrics"]
        self.request_id = request_id_of(scope["headers"])
        self.began, self.status = time.perf_counter(), 0

    async def send(self, message: Message) -> None:
        if message["type"] in BEGINNINGS:
            self.status = message.get("status", 101)
            sent = message.get("headers", ())  # A mounted application may have none.
            headers = [each for each in sent if each[0] != b"x-request-id"]
            present = {name for name, _ in headers}
            headers += (b"x-request-id", self.request_id.encode()), *self._always
            headers.append(KEEP_AND_ASK if b"etag" in present else KEEP_NONE)
            if CSP not in present:
                headers.append(NO_PAGE)
            message["headers"] = headers
        await self._send(message)

    async def answer_bug(self, error: Exception, receive: Receive) -> None:
        log.error("A bug: %s %s", *_what(self.scope), exc_info=error)
        self.metrics.failures.labels("bug").inc()
        if self.status:  # Too late for an answer: uvicorn closes the connection.
            raise error
        request = Request({"method": "GET", **self.scope, "type": "http"})  # Also of a handshake.
        answer = (self.handlers.get(500) or self.handlers[Exception])(request, error)
        if isawaitable(answer):
            answer = await answer
        await answer(self.scope, receive, self.send)

    def record(self) -> None:
        seconds = time.perf_counter() - self.began
        record_request(self.metrics, *_what(self.scope), self.status, seconds)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the caller's request id, or a new one."""
    sent = header(headers, b"x-request-id")
    return sent.decode() if REQUEST_ID.fullmatch(sent) else str(uuid4())


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """Return the first line of a header, in a tenth of the time that ``Headers`` takes."""
    return next((value for each, value in headers if each == name), b"")


def _what(scope: Scope) -> tuple[str, str]:
    """Return the method and the route: low cardinality, no user data."""
    method: str = scope.get("method", "GET")  # A handshake has none.
    path: str = scope.get("path_template", "") or getattr(scope.get("route"), "path", OTHER_ROUTE)
    return method if method in METHODS else OTHER_METHOD, path


def record_request(metrics: Metrics, method: str, route: str, status: int, seconds: float) -> None:
    """Count a request and log it."""
    metrics.request_seconds(method, route, status).observe(seconds)
    level = logging.DEBUG if is_probe(route) else logging.INFO
    if log.isEnabledFor(level):
        said = method, route, status, round(seconds * 1000, 1)
        fields = dict(zip(FIELDS, said, strict=True))
        # ``log.log`` takes a fifth more time, to find the line of code that calls it.
        log.handle(log.makeRecord(log.name, level, __file__, 0, LINE, said, None, extra=fields))


def is_probe(path: str) -> bool:
    """Return whether a path is one of health checks or metrics, which are polled."""
    return path == "/metrics" or path.startswith("/health/")


class BodyLimit:
    """Refuse a body over 64 KiB, of which the protocol passes on only that it is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = header(scope["headers"], b"content-length") if scope["type"] == "http" else b""
        refused = problem(413, TOO_LARGE) if int(length or 0) > MAX_BODY_BYTES else self.app
        await refused(scope, receive, send)
