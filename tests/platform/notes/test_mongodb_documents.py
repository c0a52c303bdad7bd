"""What only MongoDB needs: documents that break the rules of notes."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import Binary, CodecOptions, Decimal128, Int64, ObjectId, encode
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import WriteError

from app.kit.errors import NotFound, Unavailable
from app.kit.ids import new_id
from app.kit.storage.mongodb import Document, Storage
from app.notes.models import Comment
from app.notes.mongodb import RECORDS, Repository
from tests.notes.samples import FEATURE, many, new_note

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
    notes: Repository = storage.repository(FEATURE)
    await notes.collection.delete_many({})
    return notes


async def stored(notes: Repository, note_id: UUID) -> Document:
    """Return the document unchanged, even if it is malformed."""
    plain: AsyncCollection[Document] = notes.collection.with_options(codec_options=CodecOptions())
    found = await plain.find_one({"_id": Binary.from_uuid(note_id)})
    assert found
    return found


async def put(notes: Repository, found: Document) -> None:
    await notes.collection.insert_one(found, bypass_document_validation=True)


def uses(note_id: UUID) -> list[Callable[[Repository], Awaitable[object]]]:
    return [
        lambda notes: notes.get(note_id),
        lambda notes: notes.update(note_id, {"content": "new"}),
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
    older, found, newer = new_note("older"), document(**broken), new_note("newer")
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
    older, found, newer = new_note("older"), document(**broken), new_note("newer")
    await notes.add(older)
    await put(notes, found)
    await notes.add(newer)

    assert [r.id async for page in notes.dump() for r in page] == [older.id, newer.id]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_collection_that_is_dropped_amid_a_dump_is_noticed(notes: Repository) -> None:
    await notes.load(many(150))
    pages = notes.dump()
    await anext(pages)

    await notes.collection.rename(taken := f"taken_{uuid4().hex}")
    try:
        with pytest.raises(Unavailable, match="snapshot"):
            await anext(pages)
    finally:
        await notes.storage.database[taken].rename(notes.collection.name)


@pytest.mark.parametrize("broken", (BROKEN | BROKEN_KEYS).values(), ids=BROKEN | BROKEN_KEYS)
async def test_the_database_refuses_it(notes: Repository, broken: Document) -> None:
    with pytest.raises((WriteError, InvalidBSON)):  # The error quotes what it refuses.
        await notes.collection.insert_one(document(**broken))


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
async def test_what_keeps_the_rules_is_a_note(notes: Repository, strange: Document) -> None:
    found = document(**strange)
    await notes.collection.insert_one(found)

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
    raw = encode(found, codec_options=notes.collection.codec_options)
    raw = raw.replace(b"\x03\0\0\0@@\0", b"\x03\0\0\0\xed\xa0\0")  # Ids may have @@ in them, too.
    raw = raw.replace(b"\x12created_at", b"\x09created_at")
    await notes.collection.insert_one(RawBSONDocument(raw))

    for note in (await notes.get(found["_id"]), *await notes.latest(limit=1)):
        assert note.content == "\ufffd\ufffd"
        assert note.created_at.year == 9999


async def test_foreign_ids_are_not_of_notes(notes: Repository) -> None:
    first, last = document(_id=UUID(int=0)), document(_id=UUID(int=2**128 - 1))
    for foreign in FOREIGN_IDS:
        await put(notes, document(_id=foreign))
    await notes.collection.insert_many([first, last])

    assert [note.id for note in await notes.latest(limit=100)] == [last["_id"], first["_id"]]


async def test_comments_are_in_the_order_of_their_ids_whichever_came_first(
    notes: Repository,
) -> None:
    note, comments = new_note("Buy oat milk"), [Comment.new(f"remark {i}") for i in range(3)]
    await notes.add(note)

    for comment in reversed(comments):
        await notes.add_comment(note.id, comment)

    assert (await notes.get(note.id)).comments == comments


async def test_rules_and_revisions_agree(notes: Repository) -> None:
    assert await notes.collection.options() == {
        "validator": RECORDS.rules,
        "validationLevel": "strict",
        "validationAction": "error",
    }
