"""The limits of requests: their bytes, and a slot for each of those in flight."""

import logging
from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_CHUNKED_BYTES = 6 * MAX_BODY_BYTES  # A chunk with one byte of data has six.

TOO_LARGE = bytes(MAX_BODY_BYTES + 1)
"""Stands for a body over the limit, which is not read."""
TOO_MANY = "The service is too busy."
REFUSALS_A_ROUND = 32


class Refused(Exception):
    """The request is answered with ``status`` and ``detail``; the application does not get it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Slots:
    """Slots for requests in this process; without a ``free`` one, a request is refused."""

    def __init__(self, at_most: int) -> None:
        self.free = at_most
        self._refused = 0
        self._refusals: deque[Callable[[], None]] = deque()

    def refuse_soon(self, answer: Callable[[], None]) -> None:
        """Call ``answer`` later, a few each round of the event loop, so that other work goes on."""
        if not self._refusals:
            get_running_loop().call_soon(self._refuse_some)
        self._refusals.append(answer)

    def _refuse_some(self) -> None:
        count = min(REFUSALS_A_ROUND, len(self._refusals))
        answers = [self._refusals.popleft() for _ in range(count)]
        if self._refusals:
            get_running_loop().call_soon(self._refuse_some)
        for answer in answers:
            answer()

    def count_refusal(self) -> None:
        """Count a refusal; one line of log a second has their number, to save time."""
        self._refused += 1
        if self._refused == 1:
            get_running_loop().call_later(1, self._log_refusals)

    def _log_refusals(self) -> None:
        log.warning("%s %d requests got 503 within a second.", TOO_MANY, self._refused)
        self._refused = 0
