"""The database's revisions: applied once, from any number of processes, and able to carry data."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from pymongo.errors import WriteError

from app.errors import NotFound, Unavailable
from app.identity import new_id
from app.migrations import mongodb as migrations
from app.notes.models import Comment, Note
from app.settings import Settings
from app.storage import open_storage

TIME = datetime(2026, 1, 1, tzinfo=UTC)
STRANGE: dict[str, Any] = {
    "no content": {"content": None},
    "a number for content": {"content": 1},
    "content too long": {"content": "x" * 256},
    "no comments": {"comments": None},
    "a comment of another shape": {"comments": [{"text": "x"}]},
    "version 0": {"version": 0},
    "a double": {"times_sent": 1.5},
    "a text for a time": {"created_at": "yesterday"},
    "no time": {"updated_at": None},
}


@pytest.fixture
async def empty(empty_database: Settings) -> AsyncIterator[Any]:
    """A database in which nothing was migrated, open."""
    async with open_storage(empty_database) as storage:
        yield storage


async def test_migrating_twice_and_at_once_is_safe(empty_database: Settings) -> None:
    async def migrate() -> None:
        async with open_storage(empty_database) as storage:
            await storage.migrate()
            await storage.check()

    await asyncio.gather(*(migrate() for _ in range(4)))
    await migrate()


async def test_a_database_that_lacks_a_revision_is_told_apart(empty: Any) -> None:
    with pytest.raises(Unavailable, match="app migrate"):
        await empty.check()
    with pytest.raises(Unavailable, match="app migrate"):
        await empty.repository("notes").add(Note.new("Buy oat milk"))

    await empty.migrate()
    await empty.check()


async def test_a_revision_can_carry_the_data_there_is(
    empty: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await empty.migrate()
    note = Note.new("Buy oat milk")
    note.comments.append(Comment.new("a remark"))
    await empty.repository("notes").add(note)
    applied = []

    async def upgrade(database: migrations.Database) -> None:
        applied.append("0002_shout")
        await database.notes.update_many({}, [{"$set": {"content": {"$toUpper": "$content"}}}])

    revision = ModuleType("0002_shout")
    monkeypatch.setattr(revision, "upgrade", upgrade, raising=False)
    monkeypatch.setitem(sys.modules, f"{migrations.__name__}.versions.0002_shout", revision)
    monkeypatch.setattr(migrations, "revisions", lambda: frozenset({"0001_notes", "0002_shout"}))

    with pytest.raises(Unavailable, match="app migrate"):
        await empty.check()
    await empty.migrate()
    await empty.migrate()

    assert applied == ["0002_shout"]
    found = await empty.repository("notes").get(note.id)
    assert (found.content, found.comments) == ("BUY OAT MILK", note.comments)


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
async def test_a_document_that_breaks_the_rules_is_no_note(
    empty: Any, caplog: pytest.LogCaptureFixture, strange: dict[str, Any]
) -> None:
    await empty.migrate()
    notes = empty.repository("notes")
    older = Note.new("older")
    await notes.add(older)
    strange_id = new_id()
    document = {"_id": strange_id, "content": "x", "times_sent": 0, "version": 1, "comments": []}
    document |= {"created_at": TIME, "updated_at": TIME} | strange
    with pytest.raises(WriteError):
        await empty.database.notes.insert_one(dict(document))
    await empty.database.notes.insert_one(document, bypass_document_validation=True)
    newer = Note.new("newer")
    await notes.add(newer)

    with caplog.at_level(logging.WARNING):
        assert await notes.latest(limit=2) == [newer, older]
        assert await notes.latest(limit=1, before=newer.id) == [older]

    assert str(strange_id) in caplog.text
    with pytest.raises(NotFound):
        await notes.get(strange_id)
    with pytest.raises(NotFound):
        await notes.rewrite(strange_id, "mended")
