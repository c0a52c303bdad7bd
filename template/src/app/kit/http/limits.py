"""The limits of a request: bytes, time, and a slot among the requests in flight."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.middleware import OTHER_METHOD, OTHER_ROUTE
from app.kit.http.problems import problem
from app.kit.metrics import Metrics

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
TOO_LARGE = f"The body is over {MAX_BODY_BYTES} bytes."
TOO_SLOW = "The body took too long to arrive."
REFUSALS_A_ROUND = 32
TOO_MANY = "The service is too busy."


class Slots:
    """Slots for requests in this process; without a free one, a request is refused."""

    def __init__(self, at_most: int) -> None:
        self.free = at_most
        self._refused = 0
        self._refusals: deque[Callable[[], None]] = deque()

    def freeing(self, app: ASGIApp) -> ASGIApp:
        """Return the application; it frees a slot whenever it has ended."""

        async def free_slot(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self.free += 1

        return free_slot

    def refuse_soon(self, answer: Callable[[], None]) -> None:
        """Call ``answer`` later, a few each round of the event loop, so that other work goes on."""
        if not self._refusals:
            asyncio.get_running_loop().call_soon(self._refuse_some)
        self._refusals.append(answer)

    def _refuse_some(self) -> None:
        count = min(REFUSALS_A_ROUND, len(self._refusals))
        answers = [self._refusals.popleft() for _ in range(count)]
        if self._refusals:
            asyncio.get_running_loop().call_soon(self._refuse_some)
        for answer in answers:
            answer()

    def count_refusal(self, metrics: Metrics) -> None:
        """Count a refusal; one line of log a second has their number, to save time."""
        metrics.failures.labels("overload").inc()
        metrics.request_seconds(OTHER_METHOD, OTHER_ROUTE, 503).observe(0)
        self._refused += 1
        if self._refused == 1:
            asyncio.get_running_loop().call_later(1, self._log_refusals)

    def _log_refusals(self) -> None:
        log.warning("%s %d requests got 503 within a second.", TOO_MANY, self._refused)
        self._refused = 0


class BodyLimit:
    """Refuse a body of more than 64 KiB, with or without a length, and one that is too slow."""

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
            if not more:  # The next message is the end of the connection.
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
