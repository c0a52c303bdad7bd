"""Starting before the database is there, as happens when a whole machine or cluster starts."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from app.kit.errors import Unavailable

PAUSE_SECONDS = 0.5
LAST_CHECK_SECONDS = 1.0
WORTH_WAITING = ("outage", "transient")  # A missing right stays missing.

log = logging.getLogger(__name__)


@asynccontextmanager
async def log_until_ready(check: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Say in the log what the service waits for, each thing once, until ``check`` succeeds."""
    ended = asyncio.Event()
    telling = asyncio.create_task(_tell(check, ended))
    try:
        yield
    finally:
        ended.set()  # Cancelled at once, it might leave a connection that is being opened.
        await asyncio.wait([telling], timeout=LAST_CHECK_SECONDS)
        telling.cancel()
        await asyncio.wait([telling])


async def _tell(check: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
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
    work: Callable[[], Awaitable[None]], seconds: float, tell: Callable[[str], None]
) -> None:
    """Do ``work`` as soon as the database is available; ``Unavailable`` if it is not in time."""
    end, told = time.monotonic() + seconds, False
    while True:
        try:
            return await work()
        except Unavailable as error:
            if error.kind not in WORTH_WAITING or time.monotonic() > end:
                raise
            if not told:
                tell(f"Waiting up to {seconds:g} s: {error} {error.reason}".rstrip())
            told = True
        await asyncio.sleep(PAUSE_SECONDS)
