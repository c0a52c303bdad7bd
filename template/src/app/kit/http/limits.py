"""What a request may take: bytes, time, and a place among those under way."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.middleware import is_probe
from app.kit.http.problems import RETRY_AFTER, problem

MAX_BODY_BYTES = 64 * 1024
TOO_LARGE = f"The body is over {MAX_BODY_BYTES} bytes."
TOO_SLOW = "The body took too long to arrive."
TOO_MANY = "The service is too busy."


class ConcurrencyLimit:
    """Refuse a request at once if so many are under way, but for probes and scrapes."""

    def __init__(self, app: ASGIApp, *, at_most: int) -> None:
        self.app = app
        self.at_most = at_most
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_probe(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.at_most:
            scope["state"]["metrics"].failures.labels("overload").inc()
            headers = {"Retry-After": RETRY_AFTER}
            await problem(503, TOO_MANY, headers=headers)(scope, receive, send)
            return
        self.in_flight += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1


class BodyLimit:
    """Refuse a body of more than 64 KiB, announced or not, and one that takes too long."""

    def __init__(self, app: ASGIApp, seconds: float = 8) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        deadline = asyncio.get_running_loop().time() + self.seconds
        received, more = 0, True

        async def receive_within_limits() -> Message:
            nonlocal received, more
            if not more:  # Who asks again waits for the end of the connection.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413, TOO_LARGE)
            more = message.get("more_body", False)
            return message

        if int(announced) > MAX_BODY_BYTES:
            await problem(413, TOO_LARGE)(scope, receive, send)
            return
        await self.app(scope, receive_within_limits, send)
