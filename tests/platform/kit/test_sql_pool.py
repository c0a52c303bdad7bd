"""A small pool: whatever becomes of its connections and users, it serves as many as before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress

import pytest
import sqlalchemy as sa

from app.kit.errors import Unavailable
from app.kit.storage import open_storage
from app.kit.storage.sql import SqlStorage
from app.settings import Settings
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE
from tests.kit.probe.sql import NEXT, Repository, samples

SIZE = 2
ADD_ONE = sa.update(samples).values(version=samples.c.version + 1)

Operation = Callable[[], Awaitable[object]]


@pytest.fixture
async def small(settings: Settings) -> AsyncIterator[SqlStorage]:
    """The shared database with a few samples, by a pool of two."""
    async with open_storage(settings.model_copy(update={"database_pool_size": SIZE})) as storage:
        assert isinstance(storage, SqlStorage)
        probe: Repository = storage.repository(PROBE)
        await probe.clear()
        await probe.add(Sample.new("x"))
        yield storage


def operations(storage: SqlStorage) -> list[Operation]:
    """A read, a write and a transaction."""
    probe: Repository = storage.repository(PROBE)

    def change(connection: sa.Connection) -> None:
        connection.execute(ADD_ONE)
        connection.execute(ADD_ONE)

    return [
        lambda: probe.latest(limit=1),
        lambda: probe.add(Sample.new("y")),
        lambda: storage.bounded(lambda: storage.transact(change)),
    ]


ENDS = {
    "postgresql": "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist "
    "WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}
"""A server's statement that ends a database's other connections, or finds them."""


def end_others(connection: sa.Connection) -> None:
    if (dialect := connection.dialect.name) not in ENDS:
        return
    found = connection.exec_driver_sql(ENDS[dialect]).scalars().all()
    for number in found if dialect == "mysql" else ():
        with suppress(sa.exc.DBAPIError):  # It has ended by itself.
            connection.exec_driver_sql(f"KILL {number}")


async def disconnect(settings: Settings) -> None:
    """Have the server, if there is one, end all connections to a database."""
    async with open_storage(settings) as storage:
        assert isinstance(storage, SqlStorage)
        await storage.transact(end_others)


async def check(storage: SqlStorage) -> None:
    """See that everything can be done at once, thrice."""
    await asyncio.gather(*(operation() for operation in operations(storage) * 3))


async def test_more_callers_than_connections_take_turns(small: SqlStorage) -> None:
    async with aclosing(small.scan(NEXT.limit(1))) as pages:  # It has one of the two.
        await anext(pages)
        for _ in range(5):
            await check(small)


async def test_callers_that_leave_take_no_connection_with_them(small: SqlStorage) -> None:
    for number in range(60):
        await check(small)  # Drivers complain of a connection that is left while it is opened.
        tasks = [asyncio.ensure_future(operation()) for operation in operations(small)]
        await asyncio.sleep(number % 20 / 5000)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    await check(small)


async def test_idle_connections_that_the_server_ends_cost_no_answer(
    small: SqlStorage, settings: Settings
) -> None:
    for operation in operations(small) * 3:
        await check(small)
        await disconnect(settings)
        await operation()

    await check(small)


async def test_busy_connections_that_the_server_ends_are_replaced(
    small: SqlStorage, settings: Settings
) -> None:
    async def work() -> None:
        with suppress(Unavailable):
            await check(small)

    for _ in range(10):
        working = [asyncio.create_task(work()) for _ in range(4)]
        await asyncio.sleep(0.01)
        await disconnect(settings)
        await asyncio.gather(*working)

    await check(small)
