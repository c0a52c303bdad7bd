"""The thread that writes to SQLite. It commits changes that wait for it together."""

import sqlite3
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa

from app.kit.storage.sql_work import T
from app.kit.storage.sqlite_threads import Connect, Threads, check_time

BEGIN = "BEGIN IMMEDIATE"  # Else what reads first fails if another writes before it does.


class Waiting:
    """A change for which somebody waits."""

    result: Any = None
    is_done = is_left = is_alone = False

    def __init__(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        self.work = work


class Writer(Threads):
    """One thread, so that writers queue.

    A commit waits for the disk, so all changes that came meanwhile share the next one. If one of
    them fails or its caller leaves, they are rolled back, and each is made alone.
    """

    def __init__(self, connect: Connect) -> None:
        super().__init__(1, connect)
        self._waiting = deque[Waiting]()

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work``, which may run twice; return its result when it is durable."""
        self._waiting.append(this := Waiting(work))
        try:
            result: T = await self.run(partial(self._commit, this))
            return result
        finally:
            this.is_left = True

    def _commit(self, this: Waiting, connection: sa.Connection) -> Any:
        if this.is_done:
            return this.result
        group = [this] if this.is_alone else self._take()
        try:
            _change(connection.connection.driver_connection, group)
        except BaseException:
            for each in (this, *group):
                each.is_alone = True
            if group == [this]:
                raise
            return self._commit(this, connection)
        for each in group:
            each.is_done = True
        return this.result

    def _take(self) -> list[Waiting]:
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        return [each for each in taken if not each.is_left]


def _change(driver: Any, group: list[Waiting]) -> None:
    with driver:
        driver.execute(BEGIN)
        for each in group:
            each.result = each.work(driver)
        check_time()  # What nobody waits for is not committed.
        if any(each.is_left for each in group):
            raise TimeoutError
