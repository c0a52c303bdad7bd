"""Dumps and loads of any feature."""

import asyncio
from collections.abc import Callable, Coroutine
from io import BytesIO
from subprocess import PIPE
from typing import Any

import pytest

from app.kit.dump import work
from app.kit.dump.feature import DumpedFeature, TransferError, find
from app.kit.features import Feature
from app.kit.storage import Storage
from app.settings import Settings
from tests.kit.dumps import dump_of, dumped, loaded, many
from tests.kit.probe.service import PROBE
from tests.kit.support import start, url


@pytest.fixture
async def feature(storage: Storage) -> DumpedFeature:
    """The probe, without samples."""
    await storage.repository(PROBE).clear()
    return find("probe", [PROBE], storage)


@pytest.mark.parametrize("command", [work.dump, work.load])
async def test_a_command_can_be_interrupted(
    feature: DumpedFeature,
    command: Callable[[DumpedFeature, BytesIO, work.Tell], Coroutine[Any, Any, int]],
) -> None:
    dump = dump_of(many(500))
    await loaded(feature, dump)
    told = []

    def interrupt(records: int, size: int) -> None:
        told.append(records)
        running.cancel()

    running = asyncio.create_task(command(feature, BytesIO(dump), interrupt))
    with pytest.raises(asyncio.CancelledError):
        await running

    assert len(told) == 1
    assert await dumped(feature) == dump


def load_and_kill(settings: Settings, given: bytes) -> None:
    load, variables = ["load", "--feature=probe"], {"DATABASE_URL": url(settings)}
    with start(load, variables, stdin=PIPE) as process:
        assert process.stdin
        process.stdin.write(given)  # Returns once all was read but what a pipe holds.
        process.kill()


async def test_a_load_that_was_killed_can_be_run_again(
    feature: DumpedFeature, settings: Settings
) -> None:
    dump = dump_of(many(1000))
    load_and_kill(settings, dump[:900_000])

    part = await dumped(feature)
    assert 100_000 < len(part) < 900_000

    await loaded(feature, dump)

    assert await dumped(feature) == dump


async def test_a_feature_without_records_takes_no_part(storage: Storage) -> None:
    with pytest.raises(TransferError, match=r"app/http/models\.py"):
        find("http", [Feature("http", "app.kit.http")], storage)
