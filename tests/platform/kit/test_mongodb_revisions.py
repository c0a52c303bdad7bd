"""Revisions that fail, lose their lock or change documents, and an older or newer schema."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from app.kit.errors import Conflict, Unavailable
from app.kit.migrations import mongodb as migrations
from app.kit.migrations.mongodb.__main__ import write
from app.kit.storage import open_storage
from app.kit.storage.mongodb import Document, Storage
from app.settings import Settings
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE, create_app
from tests.kit.support import serving


@pytest.fixture
async def empty(empty_database: Settings) -> AsyncIterator[Storage]:
    """A database without a schema, open."""
    async with open_storage(empty_database) as storage:
        assert isinstance(storage, Storage)
        yield storage


@pytest.fixture
def revision(monkeypatch: pytest.MonkeyPatch, revisions: None) -> Callable[..., None]:
    """Add a revision after the probe's."""

    def add(name: str, upgrade: Callable[[migrations.Database], Awaitable[None]]) -> None:
        known = migrations.revisions() | {name}
        monkeypatch.setattr(migrations, "revisions", lambda: known)
        module = SimpleNamespace(upgrade=upgrade)
        monkeypatch.setitem(sys.modules, f"{migrations.PACKAGE}.{name}", module)

    return add


async def add_colours(database: migrations.Database) -> None:
    """Give each sample a colour where it has none."""
    await database.probe.update_many({"content": "x"}, {"$set": {"content": "white"}})


async def test_migrating_twice_and_at_once_is_safe(
    empty_database: Settings, revision: Callable[..., None]
) -> None:
    runs = []

    async def slow(database: migrations.Database) -> None:
        runs.append(1)
        await asyncio.sleep(0.3)

    async def migrate() -> None:
        async with open_storage(empty_database) as storage:
            await storage.migrate()
            await storage.check()

    revision("9999_slow", slow)
    await asyncio.gather(*(migrate() for _ in range(4)))
    await migrate()

    assert len(runs) == 1


async def test_a_revision_can_change_documents(
    empty: Storage, revision: Callable[..., None]
) -> None:
    await empty.migrate()
    sample, probe = Sample.new("x"), empty.repository(PROBE)
    await probe.add(sample)
    revision("9999_colours", add_colours)
    with pytest.raises(Unavailable, match="app migrate"):
        await empty.check()

    await empty.migrate()

    await empty.check()
    assert (await probe.get(sample.id)).content == "white"


async def test_a_revision_that_fails_is_run_again(
    empty: Storage, revision: Callable[..., None]
) -> None:
    runs = []

    async def fails_once(database: migrations.Database) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ZeroDivisionError

    revision("9999_fails_once", fails_once)
    with pytest.raises(ZeroDivisionError):
        await empty.migrate()
    with pytest.raises(Unavailable, match="app migrate"):
        await empty.check()

    await empty.migrate()

    await empty.check()
    assert len(runs) == 2


async def test_two_revisions_with_the_same_number_are_refused_in_one_line(
    empty: Storage, revision: Callable[..., None]
) -> None:
    revision("0001_of_another_branch", add_colours)

    with pytest.raises(Conflict, match="0001_of_another_branch and 0001_probe have the same num"):
        await empty.migrate()

    assert await empty.database.list_collection_names() == []


async def test_documents_that_break_a_new_rule_are_named_in_one_line(
    empty: Storage, revision: Callable[..., None]
) -> None:
    async def make_unique(database: migrations.Database) -> None:
        await database.books.insert_many([{"name": "s3cret"}, {"name": "s3cret"}])
        await database.books.create_index("name", unique=True)

    revision("9999_unique", make_unique)

    with pytest.raises(Conflict, match=r"the rule of name;") as raised:
        await empty.migrate()

    assert "s3cret" not in str(raised.value)


@pytest.mark.usefixtures("revisions")
async def test_the_lock_of_a_killed_migration_ends(
    empty: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LEASE_SECONDS", 0.5)
    assert await migrations._take(empty.database.migrations, "killed")
    assert not await migrations._take(empty.database.migrations, "another")

    await asyncio.wait_for(empty.migrate(), 5)

    await empty.check()


@pytest.mark.parametrize(
    "others", [{"$set": {"owner": "another"}}, {"$unset": {"owner": "", "until": ""}}]
)
async def test_who_lost_the_lock_records_nothing(
    empty: Storage,
    revision: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    others: Document,
) -> None:
    async def taken_over(database: migrations.Database) -> None:
        await database.migrations.update_one(migrations.THIS, others)
        await asyncio.sleep(0.1)

    monkeypatch.setattr(migrations, "RENEWAL_SECONDS", 0.02)
    revision("9999_taken_over", taken_over)
    with pytest.raises(Unavailable, match="lock of this migration expired"):
        await empty.migrate()

    others_than_this = migrations.revisions() - {"9999_taken_over"}
    assert await migrations.applied(empty.database) == others_than_this


@pytest.mark.usefixtures("revisions")
def test_a_new_revision_comes_last(tmp_path: Path) -> None:
    path = write("Add colours, and tags!", tmp_path)

    assert path.name.endswith("_add_colours_and_tags.py")
    assert path.name > max(migrations.revisions())
    compile(path.read_text(), path, "exec")


@pytest.mark.usefixtures("revisions")
async def test_an_old_schema_and_a_newer_one_are_distinguished(
    empty_database: Settings, empty: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    check_or_newer = partial(empty.check, or_newer=True)
    for ask in (
        empty.check,
        check_or_newer,
        partial(empty.repository(PROBE).add, Sample.new("x")),
    ):
        with pytest.raises(Unavailable, match="app migrate") as failure:
            await ask()
        assert "0001_probe" in failure.value.reason
    assert await empty.database.list_collection_names() == []

    await empty.migrate()
    await empty.database.migrations.update_one(
        migrations.THIS, {"$addToSet": {"applied": "9999_newer"}}
    )

    async with open_storage(empty_database) as restarted:
        with pytest.raises(Unavailable) as failure:
            await restarted.check()
        assert "9999_newer" in failure.value.reason
        await restarted.migrate()
        assert "revisions of other code, which stay: 9999_newer" in caplog.text
        await restarted.repository(PROBE).add(Sample.new("x"))
    with serving(create_app(empty_database)) as url:
        async with httpx2.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/ready")).status_code == 200
