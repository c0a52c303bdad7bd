"""What only MongoDB needs: documents that break the rules, and revisions of a schema of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from bson import Binary, CodecOptions, Decimal128, Int64, ObjectId, encode
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import WriteError

from app.kit.errors import NotFound, Unavailable
from app.kit.ids import new_id
from app.kit.migrations import mongodb as migrations
from app.kit.migrations.mongodb.__main__ import write
from app.kit.storage import open_storage
from app.kit.storage.mongodb import Document, Storage
from app.main import create_app
from app.notes.models import Comment, Note
from app.notes.mongodb import Repository
from app.notes.mongodb_documents import VALIDATOR
from app.settings import Settings
from tests.conftest import NOTES_FEATURE, serving
from tests.notes.dumps import many

LONG_AGO = datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
YEAR_60000 = Int64(2**50)


def comment(**changes: Any) -> Document:
    return {"id": uuid4(), "content": "a remark", "created_at": LONG_AGO} | changes


def document(**changes: Any) -> Document:
    whole: Document = {
        "_id": new_id(),
        "content": "Buy oat milk",
        "times_sent": 0,
        "version": 1,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        "comments": [comment()],
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


BROKEN: dict[str, Document] = {
    "no content": {"content": ...},
    "no version": {"version": ...},
    "no times_sent": {"times_sent": ...},
    "no created_at": {"created_at": ...},
    "no updated_at": {"updated_at": ...},
    "no comments": {"comments": ...},
    "null content": {"content": None},
    "null comments": {"comments": None},
    "empty content": {"content": ""},
    "long content": {"content": "\U0001f600" * 256},
    "content a number": {"content": 7},
    "content a malformed UUID": {"content": Binary(b"123", 4)},
    "version 0": {"version": 0},
    "version a double": {"version": 1.0},
    "version a boolean": {"version": True},
    "version a string": {"version": "1"},
    "version a decimal": {"version": Decimal128("1")},
    "times_sent negative": {"times_sent": -1},
    "time a string": {"created_at": "2026-01-01T00:00:00.000Z"},
    "time a number": {"updated_at": 1767225600000},
    "comments a string": {"comments": ""},
    "comments an object": {"comments": {}},
    "comment a string": {"comments": ["a remark"]},
    "comment null": {"comments": [None]},
    "comment without id": {"comments": [{"content": "x", "created_at": LONG_AGO}]},
    "comment with an ObjectId": {"comments": [comment(id=ObjectId())]},
    "comment with bytes as id": {"comments": [comment(id=b"0123456789abcdef")]},
    "comment with a legacy UUID": {"comments": [comment(id=Binary(b"0123456789abcdef", 3))]},
    "comment with a malformed UUID": {"comments": [comment(id=Binary(b"123", 4))]},
    "comment with null content": {"comments": [comment(content=None)]},
    "comment without a time": {"comments": [comment(created_at=None)]},
    "101 comments": {"comments": [comment() for _ in range(101)]},
}
BROKEN_KEYS: dict[str, Document] = {
    "key of no request": {"idempotency": "k"},
    "no key": {"idempotency": {"sha256": "0" * 64}},
    "long key": {"idempotency": {"key": "k" * 256, "sha256": "0" * 64}},
    "no digest": {"idempotency": {"key": "k", "sha256": ""}},
    "comment's key without version": {"comments": [comment(idempotency={"key": "k"})]},
}
STRANGE: dict[str, Document] = {
    "more fields": {"colour": "red", "tags": [{"a": None}], "ref": Binary(b"123", 4)},
    "more fields of a comment": {"comments": [comment(likes=3, ref=Binary(b"123", 4))]},
    "64-bit numbers": {"version": Int64(3), "times_sent": Int64(2**40)},
    "longest content": {"content": "\U0001f600" * 255},
}
FOREIGN_IDS = (
    ObjectId(),
    "note",
    7,
    {"a": 1},
    b"0123456789abcdef",
    Binary(b"123", 4),
    b"\xff" * 20,
)


@pytest.fixture
async def notes(storage: Storage) -> Repository:
    """A repository without notes, in a collection that any document can be put into."""
    notes: Repository = storage.repository(NOTES_FEATURE)
    await notes.notes.delete_many({})
    return notes


async def stored(notes: Repository, note_id: UUID) -> Document:
    """Return the document as it is, whatever is in it."""
    plain: AsyncCollection[Document] = notes.notes.with_options(codec_options=CodecOptions())
    found = await plain.find_one({"_id": Binary.from_uuid(note_id)})
    assert found
    return found


async def put(notes: Repository, found: Document) -> None:
    await notes.notes.insert_one(found, bypass_document_validation=True)


def uses(note_id: UUID) -> list[Callable[[Repository], Awaitable[object]]]:
    return [
        lambda notes: notes.get(note_id),
        lambda notes: notes.update_content(note_id, "new"),
        lambda notes: notes.send(note_id),
        lambda notes: notes.add_comment(note_id, Comment.new("another")),
        lambda notes: notes.delete_comment(note_id, new_id()),
        lambda notes: notes.delete(note_id),
        lambda notes: notes.delete(note_id, expected=frozenset({1})),
    ]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_document_that_breaks_the_rules_is_no_note(
    notes: Repository, broken: Document, caplog: pytest.LogCaptureFixture
) -> None:
    older, found, newer = Note.new("older"), document(**broken), Note.new("newer")
    await notes.add(older)
    await put(notes, found)
    await notes.add(newer)
    before = await stored(notes, found["_id"])

    assert await notes.latest(limit=2) == [newer, older]
    assert await notes.latest(limit=1, before=newer.id) == [older]
    for use in uses(found["_id"]):
        with pytest.raises(NotFound):
            await use(notes)

    assert await stored(notes, found["_id"]) == before
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_dump_leaves_it_out_and_says_so(
    notes: Repository, broken: Document, caplog: pytest.LogCaptureFixture
) -> None:
    older, found, newer = Note.new("older"), document(**broken), Note.new("newer")
    await notes.add(older)
    await put(notes, found)
    await notes.add(newer)

    assert [r.id async for page in notes.dump() for r in page] == [older.id, newer.id]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_collection_that_is_dropped_amid_a_dump_is_noticed(notes: Repository) -> None:
    await notes.load(many(150))
    pages = notes.dump()
    await anext(pages)

    await notes.notes.rename(taken := f"taken_{uuid4().hex}")
    try:
        with pytest.raises(Unavailable, match="snapshot"):
            await anext(pages)
    finally:
        await notes.storage.database[taken].rename(notes.notes.name)


@pytest.mark.parametrize("broken", (BROKEN | BROKEN_KEYS).values(), ids=BROKEN | BROKEN_KEYS)
async def test_the_database_refuses_it(notes: Repository, broken: Document) -> None:
    with pytest.raises((WriteError, InvalidBSON)):  # The error quotes what it refuses.
        await notes.notes.insert_one(document(**broken))


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
async def test_what_keeps_the_rules_is_a_note(notes: Repository, strange: Document) -> None:
    found = document(**strange)
    await notes.notes.insert_one(found)

    note = await notes.get(found["_id"])
    assert await notes.latest(limit=1) == [note]
    assert (note.content, note.version) == (found["content"], found["version"])
    sent = await notes.send(note.id)

    assert (sent.version, sent.times_sent) == (note.version + 1, note.times_sent + 1)
    kept = await stored(notes, found["_id"])
    assert {name: kept[name] for name in strange.keys() & {"colour", "tags", "ref"}} == {
        name: value for name, value in strange.items() if name in {"colour", "tags", "ref"}
    }


async def test_bytes_that_are_no_text_or_no_time_are_shown_as_well_as_can_be(
    notes: Repository,
) -> None:
    found = document(content="@@", created_at=YEAR_60000)
    raw = encode(found, codec_options=notes.notes.codec_options)
    raw = raw.replace(b"\x03\0\0\0@@\0", b"\x03\0\0\0\xed\xa0\0")  # Ids may have @@ in them, too.
    raw = raw.replace(b"\x12created_at", b"\x09created_at")
    await notes.notes.insert_one(RawBSONDocument(raw))

    for note in (await notes.get(found["_id"]), *await notes.latest(limit=1)):
        assert note.content == "\ufffd\ufffd"
        assert note.created_at.year == 9999


async def test_foreign_ids_are_not_of_notes(notes: Repository) -> None:
    first, last = document(_id=UUID(int=0)), document(_id=UUID(int=2**128 - 1))
    for foreign in FOREIGN_IDS:
        await put(notes, document(_id=foreign))
    await notes.notes.insert_many([first, last])

    assert [note.id for note in await notes.latest(limit=100)] == [last["_id"], first["_id"]]


async def test_comments_are_in_the_order_of_their_ids_whichever_came_first(
    notes: Repository,
) -> None:
    note, comments = Note.new("Buy oat milk"), [Comment.new(f"remark {i}") for i in range(3)]
    await notes.add(note)

    for comment in reversed(comments):
        await notes.add_comment(note.id, comment)

    assert (await notes.get(note.id)).comments == comments


# Revisions ------------------------------------------------------------------------------------


@pytest.fixture
async def empty(empty_database: Settings) -> AsyncIterator[Storage]:
    """A database without a schema, open."""
    async with open_storage(empty_database) as storage:
        assert isinstance(storage, Storage)
        yield storage


@pytest.fixture
def revision(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Add a revision after those there are."""

    def add(name: str, upgrade: Callable[[migrations.Database], Awaitable[None]]) -> None:
        known = migrations.revisions() | {name}
        monkeypatch.setattr(migrations, "revisions", lambda: known)
        module = SimpleNamespace(upgrade=upgrade)
        monkeypatch.setitem(
            __import__("sys").modules, f"app.migrations.mongodb.versions.{name}", module
        )

    return add


async def add_colours(database: migrations.Database) -> None:
    """Revise documents: give each note a colour where it has none."""
    await database.notes.update_many({"colour": None}, {"$set": {"colour": "white"}})


async def test_rules_and_revisions_agree(empty: Storage) -> None:
    await empty.migrate()

    options = await empty.database.notes.options()

    assert options == {
        "validator": VALIDATOR,
        "validationLevel": "strict",
        "validationAction": "error",
    }


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
    note = Note.new("Buy oat milk")
    await empty.repository(NOTES_FEATURE).add(note)
    revision("9999_colours", add_colours)
    with pytest.raises(Unavailable, match="app migrate"):
        await empty.check()

    await empty.migrate()

    await empty.check()
    found = await empty.database.notes.find_one({"_id": note.id})
    assert found
    assert found["colour"] == "white"
    assert await empty.repository(NOTES_FEATURE).get(note.id) == note


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
    with pytest.raises(Unavailable, match="taken for dead"):
        await empty.migrate()

    others_than_this = migrations.revisions() - {"9999_taken_over"}
    assert await migrations.applied(empty.database) == others_than_this


def test_a_new_revision_comes_last(tmp_path: Path) -> None:
    path = write("Add colours, and tags!", tmp_path)

    assert path.name.endswith("_add_colours_and_tags.py")
    assert path.name > max(migrations.revisions())
    compile(path.read_text(), path, "exec")


async def test_an_old_schema_and_a_newer_one_are_told_apart(
    empty_database: Settings, empty: Storage
) -> None:
    check_or_newer = partial(empty.check, or_newer=True)
    for ask in (
        empty.check,
        check_or_newer,
        partial(empty.repository(NOTES_FEATURE).add, Note.new("x")),
    ):
        with pytest.raises(Unavailable, match="app migrate") as told:
            await ask()
        assert "0001_notes" in told.value.reason
    assert await empty.database.list_collection_names() == []

    await empty.migrate()
    await empty.database.migrations.update_one(
        migrations.THIS, {"$addToSet": {"applied": "9999_newer"}}
    )

    async with open_storage(empty_database) as restarted:
        with pytest.raises(Unavailable) as told:
            await restarted.check()
        assert "9999_newer" in told.value.reason
        await restarted.migrate()
        await restarted.repository(NOTES_FEATURE).add(Note.new("x"))
    with serving(create_app(empty_database)) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/ready")).status_code == 200
