"""Threads with a connection each, for what would block the event loop."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from contextvars import copy_context
from functools import cache
from queue import SimpleQueue
from typing import Any

import sqlalchemy as sa

from app.kit.storage.operations import OPERATION_SECONDS
from app.kit.storage.sql_work import T, Work

CALL_SECONDS = OPERATION_SECONDS * 0.75
"""A call ends before its operation does: then the log has the reason, and a commit its time."""

Connect = Callable[[], sa.Connection]

_thread = threading.local()


class Call:
    """Work to be done on a thread, and a caller who waits for it; without work, the thread ends."""

    def __init__(self, work: Work[Any] | None, seconds: float = CALL_SECONDS) -> None:
        self.work, self._context = work, copy_context()
        self._end = time.monotonic() + seconds
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def is_over(self) -> bool:
        """Return whether nobody waits any more, or the time is up."""
        return self.future.cancelled() or time.monotonic() > self._end

    def run(self, work: Work[Any], connect: Connect) -> Callable[[], None]:
        """Do the work, and return what gives the outcome to the future."""
        _thread.call = self
        try:
            check_time()
            result = self._context.run(_when_unlocked, work, connect)
        except BaseException as error:
            failure = error  # Python forgets ``error`` at the end of this block.
            return lambda: self.future.set_exception(failure)
        return lambda: self.future.set_result(result)


class Threads:
    """Up to ``size`` threads, begun when needed, that take calls in the order they came.

    They are daemons: one that hangs, because of a disk say, lets the process end.
    """

    def __init__(self, size: int, connect: Connect) -> None:
        self.size, self.calls = size, 0
        self._connect = connect
        self._threads: list[threading.Thread] = []
        self._queue: SimpleQueue[Call] = SimpleQueue()

    async def run(self, work: Work[T], seconds: float = CALL_SECONDS) -> T:
        """Return what ``work`` returns; its thread may be busy for a while if this is cancelled."""
        if len(self._threads) < min(self.calls + 1, self.size):
            self._threads.append(threading.Thread(target=self._serve, daemon=True))
            self._threads[-1].start()
        result: T = await self._put(Call(work, seconds))
        return result

    async def aclose(self) -> None:
        """Close the connections when all is done, and end the threads."""
        ending, self._threads = self._threads, []
        await asyncio.gather(*(self._put(Call(None)) for _ in ending))

    def _put(self, call: Call) -> asyncio.Future[Any]:
        self.calls += 1
        self._queue.put(call)
        return call.future

    def _serve(self) -> None:
        with ExitStack() as stack:
            connect = cache(lambda: stack.enter_context(self._connect()))
            while work := (call := self._queue.get()).work:
                self._answer(call, call.run(work, connect))
        self._answer(call, lambda: call.future.set_result(None))

    def _answer(self, call: Call, outcome: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop is closed.
            call.loop.call_soon_threadsafe(self._finish, call, outcome)

    def _finish(self, call: Call, outcome: Callable[[], None]) -> None:
        self.calls -= 1
        if not call.future.cancelled():
            outcome()


def is_over() -> bool:
    """Return whether the call that this thread is busy with should end."""
    call: Call = _thread.call
    return call.is_over()


def check_time() -> None:
    """Raise ``TimeoutError`` if the call that this thread is busy with should end."""
    if is_over():
        raise TimeoutError("The file was busy for too long.")


def _when_unlocked(work: Work[T], connect: Connect) -> T:
    """Do the work, again while another connection has the file locked."""
    while True:
        try:
            return work(connect())
        except sa.exc.OperationalError as error:
            code = getattr(error.orig, "sqlite_errorcode", 0)
            if code & 0xFF != sqlite3.SQLITE_BUSY or is_over():
                raise
        time.sleep(0.01)  # Some locks are reported at once.
