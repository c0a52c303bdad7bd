"""Security headers for browsers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = b"content-security-policy"
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
NO_PAGE = (CSP, b"default-src 'none'; frame-ancestors 'none'")
KEEP_NONE = (b"cache-control", b"no-store")
KEEP_AND_ASK = (b"cache-control", b"private, no-cache")  # Revalidated by If-None-Match.
NOT_FOR_BROWSERS = [*ALWAYS, NO_PAGE, KEEP_NONE]


class SecurityHeaders:
    """Forbid browsers to sniff, frame or run an answer, or to cache it without revalidation.

    An answer's own policy is kept, such as that of ``/docs``. ``hsts_seconds`` sets
    ``Strict-Transport-Security``.
    """

    def __init__(self, app: ASGIApp, *, hsts_seconds: int) -> None:
        self.app = app
        self.always = list(ALWAYS)
        if hsts_seconds:
            self.always.append((b"strict-transport-security", b"max-age=%d" % hsts_seconds))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"].endswith("http.response.start"):  # Also of a refused WebSocket.
                headers = message["headers"]
                present = {name for name, _ in headers}
                headers.extend(self.always)
                headers.append(KEEP_AND_ASK if b"etag" in present else KEEP_NONE)
                if CSP not in present:
                    headers.append(NO_PAGE)
            await send(message)

        await self.app(scope, receive, send_with_headers)
