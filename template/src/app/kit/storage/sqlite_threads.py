"""Threads with a connection each, so that SQLite does not block the event loop."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from contextvars import copy_context
from functools import cache, partial
from queue import SimpleQueue
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.kit.storage.operations import OPERATION_SECONDS
from app.kit.storage.sql_errors import driver_error
from app.kit.storage.sql_work import T, Work

CALL_SECONDS = OPERATION_SECONDS * 0.75
"""A call must end before its operation: then the log has the reason, and a commit has time."""

Connect = Callable[[], sa.Connection]
OnThread = Callable[[Connect], Any]
Future = asyncio.Future[Any]

_thread = threading.local()


class Call(NamedTuple):
    """Work for a thread, and who waits for it; without work, the thread ends."""

    future: Future
    end: float
    work: OnThread | None


class Threads:
    """Up to ``size`` threads, started when needed, which take calls in FIFO order.

    They are daemons, so that one that hangs, such as on a disk, does not keep the process alive.
    """

    def __init__(self, size: int, connect: Connect) -> None:
        self.size, self.calls = size, 0
        self._connect = connect
        self._threads: list[threading.Thread] = []
        self._queue: SimpleQueue[Call] = SimpleQueue()

    async def run(self, work: Work[T], seconds: float = CALL_SECONDS) -> T:
        """Run ``work`` on a thread; after a cancellation, the thread may stay busy for a while."""
        if len(self._threads) < min(self.calls + 1, self.size):
            self._threads.append(threading.Thread(target=self._serve, daemon=True))
            self._threads[-1].start()
        run = copy_context().run
        result: T = await self._put(lambda connect: run(_when_unlocked, work, connect), seconds)
        return result

    async def aclose(self) -> None:
        """Close the connections once all calls are done, and end the threads."""
        ending, self._threads = self._threads, []
        await asyncio.gather(*(self._put(None) for _ in ending))

    def _put(self, work: OnThread | None, seconds: float = CALL_SECONDS) -> Future:
        future = asyncio.get_running_loop().create_future()
        self.calls += 1
        self._queue.put(Call(future, time.monotonic() + seconds, work))
        return future

    def _serve(self) -> None:
        with ExitStack() as stack:
            connect = cache(lambda: stack.enter_context(self._connect()))
            while work := (call := self._queue.get()).work:
                _thread.call = call
                try:
                    check_time()
                    self._answer(call.future, partial(call.future.set_result, work(connect)))
                except BaseException as error:
                    self._answer(call.future, partial(call.future.set_exception, error))
        self._answer(call.future, partial(call.future.set_result, None))

    def _answer(self, future: Future, answer: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop is closed.
            future.get_loop().call_soon_threadsafe(self._finish, future, answer)

    def _finish(self, future: Future, answer: Callable[[], None]) -> None:
        self.calls -= 1
        if not future.cancelled():
            answer()


def is_over() -> bool:
    """Return whether nobody waits for what this thread does, or its time is up."""
    call: Call = _thread.call
    return call.future.cancelled() or time.monotonic() > call.end


def check_time() -> None:
    """Raise ``TimeoutError`` if that is so."""
    if is_over():
        raise TimeoutError("The file was busy for too long.")


def _when_unlocked(work: Work[T], connect: Connect) -> T:
    """Do the work; retry while another connection has the file locked."""
    while True:
        try:
            return work(connect())
        except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
            code = getattr(driver_error(error), "sqlite_errorcode", 0)
            if code & 0xFF != sqlite3.SQLITE_BUSY or is_over():
                raise
        time.sleep(0.01)  # SQLite does not wait for some locks.
