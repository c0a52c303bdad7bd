"""Slots for the requests in flight."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.http.middleware import OTHER_METHOD, OTHER_ROUTE
from app.kit.http.problems import TOO_MANY
from app.kit.metrics import Metrics

log = logging.getLogger(__name__)

REFUSALS_A_ROUND = 32


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
