"""Cross-origin requests (CORS)."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
EXPOSED = "ETag, Location, Retry-After, WWW-Authenticate, X-Request-ID"
PREFLIGHT_SECONDS = "600"


class Cors:
    """Allow pages of some origins to call the service and read every answer, also errors.

    It only adds headers; ``Preflight`` answers preflights.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str], credentials: bool) -> None:
        self.app = app
        self.origins = origins
        self.credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin", "")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                headers.update(self.headers_for(origin, preflight=scope["method"] == "OPTIONS"))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def headers_for(self, origin: str, *, preflight: bool = False) -> dict[str, str]:
        """Return the headers that allow an origin's pages to read an answer, if any."""
        if not origin or not (origin in self.origins or "*" in self.origins):
            return {}
        headers = {"Access-Control-Allow-Origin": origin}
        if self.credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if not preflight:
            return headers | {"Access-Control-Expose-Headers": EXPOSED}
        return headers | {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": SENT,
            "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        }


class Preflight:
    """Answer a preflight before authentication, as browsers send no token with it.

    The answer is the same for every path, so it does not reveal which paths exist.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        options = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if options and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
