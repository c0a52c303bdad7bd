"""Dumps and loads of any feature."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import make_dataclass, replace
from io import BytesIO
from subprocess import PIPE
from types import SimpleNamespace
from typing import Annotated, Any

import pytest

from app.kit.dump import work
from app.kit.dump.feature import DumpedFeature, TransferError, choose, find
from app.kit.features import Feature
from app.kit.fields import Uuid
from app.kit.resources import Ref
from app.kit.storage import Storage
from app.settings import Settings
from tests.kit.dumps import dumped, loaded, quiet
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE
from tests.kit.probe_dumps import dump_of, many
from tests.kit.running import start
from tests.kit.support import url


@pytest.fixture
async def feature(storage: Storage) -> DumpedFeature:
    """The probe, without samples."""
    await storage.repository(PROBE).clear()
    return find("probe", [PROBE], storage)


@pytest.mark.parametrize("command", [work.dump, work.load])
async def test_a_command_can_be_interrupted(
    feature: DumpedFeature,
    command: Callable[[list[DumpedFeature], BytesIO, work.Progress], Coroutine[Any, Any, Any]],
) -> None:
    dump = dump_of(many(500))
    await loaded(feature, dump)
    calls = []

    def interrupt(records: int, size: int) -> None:
        calls.append(records)
        running.cancel()

    running = asyncio.create_task(command([feature], BytesIO(dump), interrupt))
    with pytest.raises(asyncio.CancelledError):
        await running

    assert len(calls) == 1
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


async def test_all_features_are_dumped_as_they_were_at_one_moment(
    feature: DumpedFeature, storage: Storage
) -> None:
    await loaded(feature, dump_of(many(250)))

    async with storage.one_snapshot():
        before = await dumped(feature)
        await storage.repository(PROBE).add(Sample.new("new"))
        assert await dumped(feature) == before

    assert await dumped(feature) != before


class FullDisk(BytesIO):
    """A file that cannot be written."""

    def writelines(self, lines: Iterable[Any]) -> None:
        raise OSError("full")


async def test_a_file_that_cannot_be_written_is_no_fault_of_the_database(
    feature: DumpedFeature, storage: Storage
) -> None:
    await loaded(feature, dump_of(many(1)))

    with pytest.raises(OSError, match="full"):
        async with storage.one_snapshot():
            await work.dump([feature], FullDisk(), quiet)


async def test_a_dump_of_two_features_is_loaded_in_its_order(
    feature: DumpedFeature, storage: Storage
) -> None:
    two = [replace(feature, name="one"), replace(feature, name="two")]
    await loaded(feature, dump_of(many(500)))
    file = BytesIO()

    assert await work.dump(two, file, quiet) == {"one": 500, "two": 500}
    await storage.repository(PROBE).clear()
    file.seek(0)
    assert await work.load(two, file, quiet, "one") == {"one": 500, "two": 500}

    assert await dumped(feature) == dump_of(many(500))


class Declared(Feature):
    """A feature that only says to which it refers."""

    def has(self, module: str) -> bool:
        return self.package != "-"

    def load(self, module: str) -> Any:
        named = [(name, Annotated[Uuid, Ref(name)] | None) for name in self.package.split()]
        return SimpleNamespace(Record=make_dataclass("Record", named))


def features(**refers_to: str) -> list[Feature]:
    return [Declared(name, others) for name, others in refers_to.items()]


REPOSITORY = SimpleNamespace(dump=None, load=None)
STORAGE: Any = SimpleNamespace(repository=lambda feature: REPOSITORY)


def test_what_is_referred_to_is_dumped_first() -> None:
    chosen = choose(None, features(a="c", b="", c="d b", d="", e="-"), STORAGE)

    assert [each.name for each in chosen] == ["b", "d", "c", "a"]


@pytest.mark.parametrize(
    ("declared", "problem"),
    [({"a": "b", "b": "a"}, "refer to each other: "), ({"a": "x"}, "no feature 'x'"), ({}, "No ")],
)
def test_what_cannot_be_dumped_is_one_line(declared: dict[str, str], problem: str) -> None:
    with pytest.raises(TransferError, match=problem):
        choose(None, features(**declared), STORAGE)


async def test_a_feature_without_records_takes_no_part(storage: Storage) -> None:
    with pytest.raises(TransferError, match=r"app/http/models\.py"):
        find("http", [Feature("http", "app.kit.http")], storage)
