"""The pool of connections to a server, which grow old."""

import asyncio

import pytest
import sqlalchemy as sa

from app.kit.storage import open_storage, sql_async
from app.kit.storage.sql_async import AsyncSqlStorage
from app.settings import Settings
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE
from tests.kit.probe.sql import samples

ADD_ONE = sa.update(samples).values(version=samples.c.version + 1)


async def test_old_connections_are_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_async, "RECYCLE_SECONDS", 0.02)
    async with open_storage(settings.model_copy(update={"database_pool_size": 2})) as storage:
        probe = storage.repository(PROBE)
        for _ in range(10):
            await asyncio.gather(
                *(probe.add(Sample.new("x")) for _ in range(3)),
                *(probe.latest(limit=1) for _ in range(3)),
            )
            await asyncio.sleep(0.03)


async def test_when_a_connection_is_given_up_the_older_ones_are_replaced(
    settings: Settings,
) -> None:
    """Their server may hang, too."""
    held, released = asyncio.Event(), asyncio.Event()

    def hold(connection: sa.Connection) -> None:
        connection.execute(ADD_ONE)
        held.set()
        sa.util.await_only(released.wait())

    opened = []
    async with open_storage(settings.model_copy(update={"database_pool_size": 2})) as storage:
        assert isinstance(storage, AsyncSqlStorage)
        sa.event.listen(storage.engine, "connect", lambda *_: opened.append(1))
        probe = storage.repository(PROBE)
        await probe.add(Sample.new("x"))
        holding = asyncio.create_task(storage.transact(hold))
        await held.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await storage.transact(lambda connection: connection.execute(ADD_ONE))
        released.set()
        await holding
        assert len(opened) == 2
        for _ in range(2):
            await asyncio.gather(*(probe.latest(limit=1) for _ in range(2)))

    assert len(opened) == 4
