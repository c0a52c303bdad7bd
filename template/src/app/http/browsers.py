"""What browsers are told: what they may do with an answer, and which pages may ask for one."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = b"content-security-policy"
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
NO_PAGE = (CSP, b"default-src 'none'; frame-ancestors 'none'")
KEEP_NONE = (b"cache-control", b"no-store")
KEEP_AND_ASK = (b"cache-control", b"private, no-cache")  # With If-None-Match, which costs less.
NOT_FOR_BROWSERS = [*ALWAYS, NO_PAGE, KEEP_NONE]

METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
EXPOSED = "ETag, Location, Retry-After, WWW-Authenticate, X-Request-ID"
PREFLIGHT_SECONDS = "600"


class SecurityHeaders:
    """Have browsers guess nothing, frame nothing, run nothing and keep nothing without asking.

    A policy that the answer has already stays: the page at ``/docs`` has one of its own.
    With ``hsts_seconds``, they are to come back by HTTPS only, for as long.
    """

    def __init__(self, app: ASGIApp, *, hsts_seconds: int) -> None:
        self.app = app
        self.always = list(ALWAYS)
        if hsts_seconds:
            self.always.append((b"strict-transport-security", b"max-age=%d" % hsts_seconds))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                present = {name for name, _ in headers}
                headers.extend(self.always)
                headers.append(KEEP_AND_ASK if b"etag" in present else KEEP_NONE)
                if CSP not in present:
                    headers.append(NO_PAGE)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Cors:
    """Let pages of other origins read every answer, errors too, and send what the service takes.

    It only adds headers, to a preflight's answer those that are asked for.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str], credentials: bool) -> None:
        self.app = app
        self.origins = origins
        self.credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin and (origin in self.origins or "*" in self.origins):
                    self._allow(origin, headers, preflight=scope["method"] == "OPTIONS")
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _allow(self, origin: str, headers: MutableHeaders, *, preflight: bool) -> None:
        headers["Access-Control-Allow-Origin"] = origin
        if self.credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if preflight:
            headers["Access-Control-Allow-Methods"] = METHODS
            headers["Access-Control-Allow-Headers"] = SENT
            headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
        else:
            headers["Access-Control-Expose-Headers"] = EXPOSED


class Preflight:
    """Answer a preflight before a token is asked for, as browsers send none with it.

    The answer is the same for every path, so nobody learns from it what there is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        options = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if options and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
