"""Starting before the database is available, as when a whole machine or cluster starts."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from app.kit.errors import Unavailable

PAUSE_SECONDS = 0.5
LAST_CHECK_SECONDS = 1.0
WORTH_WAITING = ("outage", "transient")  # Waiting does not help against the others.

log = logging.getLogger(__name__)


@asynccontextmanager
async def log_until_ready(check: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Log each reason once why the service is not ready, until ``check`` succeeds."""
    ended = asyncio.Event()
    logging_task = asyncio.create_task(_log_until_ready(check, ended))
    try:
        yield
    finally:
        ended.set()  # Cancelling it at once could leak a connection that is being opened.
        await asyncio.wait([logging_task], timeout=LAST_CHECK_SECONDS)
        logging_task.cancel()
        await asyncio.wait([logging_task])


async def _log_until_ready(check: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
    waited_for = ""
    while not ended.is_set():
        try:
            await check()
        except Unavailable as error:
            if str(error) != waited_for:
                log.warning("Not ready yet: %s %s", error, error.reason)
            waited_for = str(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PAUSE_SECONDS)
        else:
            log.info("Ready.")
            return


async def retry_until_available(
    work: Callable[[], Awaitable[None]], seconds: float, report: Callable[[str], None]
) -> None:
    """Do ``work`` once the database is available; raise ``Unavailable`` after ``seconds``."""
    end, is_reported = time.monotonic() + seconds, False
    while True:
        try:
            return await work()
        except Unavailable as error:
            if error.kind not in WORTH_WAITING or time.monotonic() > end:
                raise
            if not is_reported:
                report(f"Waiting up to {seconds:g} s: {error} {error.reason}".rstrip())
            is_reported = True
        await asyncio.sleep(PAUSE_SECONDS)
