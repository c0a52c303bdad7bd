"""SQLite on threads: whatever happens to the file or the caller, a call ends and the next works."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from threading import Event, Timer, active_count
from typing import Any

import pytest
import sqlalchemy as sa

from app.kit import logs
from app.kit.errors import Unavailable
from app.kit.storage import open_storage
from app.kit.storage.sqlite import Storage
from app.settings import Settings
from tests.kit.probe import sql
from tests.kit.running import process
from tests.kit.support import url

POST = (
    b"POST /probe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 15\r\n\r\n{"content":"x"}'
)
INSERT = sa.text("INSERT INTO t VALUES (:x)")
COUNT = sa.text("SELECT count(*) FROM t")
FOR_EVER = sa.text(
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
)


@pytest.fixture
def file(tmp_path: Path) -> Settings:
    """A file that does not exist yet."""
    path = tmp_path / "t.db"
    return Settings(_env_file=None, database_url=f"sqlite:///{path}", log_level="WARNING")


@pytest.fixture
async def storage(file: Settings) -> AsyncIterator[Storage]:
    """An empty table in a file, open."""
    async with open_storage(file) as storage:
        assert isinstance(storage, Storage)
        await storage.execute(sa.text("CREATE TABLE t (x)"))
        yield storage


@contextmanager
def locked(file: Settings) -> Iterator[sqlite3.Connection]:
    """Have another connection write, which locks the file for other writers."""
    path = url(file).removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def insert(storage: Storage, x: int = 1) -> int:
    return await storage.bounded(lambda: storage.execute(INSERT, x=x))


async def count(storage: Storage) -> int:
    ((number,),) = await storage.bounded(lambda: storage.fetch(COUNT))
    return int(number)


async def test_a_writer_waits_for_a_lock(storage: Storage, file: Settings) -> None:
    with locked(file) as other:
        waiting = asyncio.create_task(insert(storage))
        await asyncio.sleep(0.5)
        assert await count(storage) == 0  # Readers do not wait.
        other.execute("COMMIT")
        began = time.monotonic()
        await waiting

    assert time.monotonic() - began < 0.5
    assert await count(storage) == 1


async def test_a_lock_that_stays_is_the_reason_of_the_failure(
    storage: Storage, file: Settings
) -> None:
    with locked(file):
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            await insert(storage)

    assert "database is locked" in caught.value.reason
    assert time.monotonic() - began < 2
    assert await count(storage) == 0
    await insert(storage)


async def test_a_caller_that_leaves_frees_the_thread(storage: Storage, file: Settings) -> None:
    with locked(file):
        waiting = [asyncio.create_task(insert(storage)) for _ in range(8)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    began = time.monotonic()
    await insert(storage)
    assert time.monotonic() - began < 0.3
    assert await count(storage) == 1


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
async def test_a_statement_without_end_is_ended(storage: Storage, write: bool) -> None:
    run: Any = storage.execute if write else storage.fetch
    with pytest.raises(Unavailable) as caught:
        await storage.bounded(lambda: run(FOR_EVER))
    assert "interrupted" in caught.value.reason
    task = asyncio.create_task(run(FOR_EVER))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])

    began = time.monotonic()
    assert await insert(storage) == await count(storage) == 1
    assert time.monotonic() - began < 0.3


async def test_what_nobody_waits_for_is_not_committed(storage: Storage) -> None:
    def slow(connection: sa.Connection) -> None:
        connection.execute(INSERT, {"x": 1})
        time.sleep(0.3)

    task = asyncio.create_task(storage.transact(slow))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    await storage.transact(lambda _: None)

    assert await count(storage) == 0


@asynccontextmanager
async def busy(storage: Storage) -> AsyncIterator[None]:
    """Have the thread that writes do something else, while others come."""
    released = Event()
    working = asyncio.create_task(storage.transact(lambda _: released.wait(1)))
    yield
    await asyncio.sleep(0.1)
    released.set()
    await working


def driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


async def test_writers_that_wait_share_a_commit(storage: Storage) -> None:
    done: list[str] = []
    await storage.transact(lambda connection: driver(connection).set_trace_callback(done.append))
    async with busy(storage):
        inserts = [asyncio.create_task(insert(storage, x)) for x in range(3)]
    await asyncio.gather(*inserts)

    shared = [f"INSERT INTO t VALUES ({x})" for x in range(3)]
    assert done[-5:] == ["BEGIN IMMEDIATE", *shared, "COMMIT"]


async def test_a_writer_fails_alone(storage: Storage) -> None:
    await storage.execute(sa.text("CREATE UNIQUE INDEX i ON t (x)"))
    async with busy(storage):
        inserts = [asyncio.create_task(insert(storage, x)) for x in (1, 2, 2, 3)]
    done = await asyncio.gather(*inserts, return_exceptions=True)

    assert [type(each) for each in done] == [int, int, sa.exc.IntegrityError, int]
    assert await count(storage) == 3


async def test_a_writer_leaves_alone(storage: Storage) -> None:
    reached, released = Event(), Event()

    def pause() -> int:
        reached.set()
        released.wait(1)
        return 2

    await storage.transact(lambda c: driver(c).create_function("pause", 0, pause))
    paused = sa.text("INSERT INTO t VALUES (pause())")
    async with busy(storage):
        inserts = [asyncio.create_task(insert(storage, x)) for x in (1, 3)]
        inserts.append(asyncio.create_task(storage.execute(paused)))
    await asyncio.to_thread(reached.wait, 1)
    inserts[0].cancel()
    await asyncio.sleep(0)
    released.set()
    await asyncio.wait(inserts)

    assert await storage.fetch(sa.text("SELECT x FROM t ORDER BY x")) == [(2,), (3,)]


async def test_a_full_disk_costs_no_more_than_the_write(storage: Storage) -> None:
    big = sa.text("INSERT INTO t VALUES (zeroblob(1000000))")

    def limit(pages: int) -> Any:
        return storage.transact(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").all())

    await limit(20)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await storage.bounded(lambda: storage.execute(big))
        assert "disk is full" in caught.value.reason
    await limit(100_000)
    await storage.bounded(lambda: storage.execute(big))

    assert await count(storage) == 1


async def test_a_new_file_waits_for_whoever_makes_it(file: Settings) -> None:
    """SQLite itself does not wait before it begins the write-ahead log."""
    with locked(file) as other:
        async with open_storage(file) as storage:
            assert isinstance(storage, Storage)
            opening = asyncio.create_task(storage.execute(sa.text("CREATE TABLE t (x)")))
            await asyncio.sleep(0.4)
            other.execute("CREATE TABLE u (x)")
            other.execute("COMMIT")
            await opening
            assert await storage.fetch(sa.text("PRAGMA journal_mode")) == [("wal",)]


async def test_work_knows_the_request_and_raises_to_the_caller(storage: Storage) -> None:
    logs.request_id.set("mine")
    assert await storage.transact(lambda _: logs.request_id.get()) == "mine"
    with pytest.raises(KeyError):
        await storage.transact(lambda _: dict[str, int]()["x"])


async def test_threads_are_few_counted_and_ended(file: Settings) -> None:
    before = active_count()
    small = file.model_copy(update={"database_pool_size": 2})
    async with open_storage(small) as storage:
        assert isinstance(storage, Storage)
        reads = [asyncio.create_task(storage.fetch(FOR_EVER)) for _ in range(5)]
        await asyncio.sleep(0.1)
        pool = storage.pool()
        assert (pool.size, pool.used, pool.waiting) == (3, 2, 3)
        assert active_count() == before + 2
        for task in reads:
            task.cancel()
        await asyncio.wait(reads)

    assert storage.pool().used == 0
    await asyncio.sleep(0.1)
    assert active_count() == before


async def test_no_trace_of_the_log_is_left(storage: Storage, file: Settings) -> None:
    await insert(storage)
    await storage.close()

    folder = Path(url(file).removeprefix("sqlite:///")).parent
    assert [file.name for file in folder.iterdir()] == ["t.db"]


def test_ctrl_c_ends_a_migration_that_waits(file: Settings) -> None:
    with locked(file):
        ctrl_c = Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        ctrl_c.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(migrate(file))
    assert 0.4 < time.monotonic() - began < 1.5


def test_sigterm_does_not_wait_for_writers_longer_than_they_do(
    file: Settings, tmp_path: Path
) -> None:
    asyncio.run(migrate(file))
    with process(file, tmp_path / "log") as (service, address), ExitStack() as stack:
        stack.enter_context(locked(file))
        host, _, port = address.partition(":")
        clients = [
            stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(8)
        ]
        for client in clients:
            client.sendall(POST)
        time.sleep(0.5)
        began = time.monotonic()
        service.terminate()
        assert service.wait(timeout=10) == 0
        assert time.monotonic() - began < 2.5
        assert {client.recv(12) for client in clients} == {b"HTTP/1.1 503"}


async def migrate(file: Settings) -> None:
    async with open_storage(file) as storage:
        assert isinstance(storage, Storage)
        await storage.migrate()
        await sql.create(storage)


def test_a_thread_that_hangs_lets_the_process_end(file: Settings) -> None:
    hang = f"""
import asyncio, time
from app.kit.storage import open_storage
from app.settings import Settings

async def main():
    async with open_storage(Settings(_env_file=None, database_url={url(file)!r})) as storage:
        asyncio.create_task(storage.transact(lambda _: time.sleep(60)))
        await asyncio.sleep(0.1)

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", hang], check=True, timeout=30)
