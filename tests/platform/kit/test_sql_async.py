"""The pool of connections to a server, which grow old."""

import asyncio

import pytest

from app.kit.storage import open_storage, sql_async
from app.settings import Settings
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE


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
