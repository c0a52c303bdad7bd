"""Dumps and loads of notes: what is in them, and what they leave alone."""

from dataclasses import replace

import pytest

from app.kit.dump.feature import DumpedFeature, find
from app.kit.features import FEATURES
from app.kit.idempotency import FirstRequest, digest
from app.kit.storage import Storage
from app.notes.models import Comment, CommentRecord, CommentRequest
from app.notes.repository import NoteRepository
from tests.kit.dumps import TIME, dumped, loaded, numbered
from tests.notes.conftest import NOTES_FEATURE
from tests.notes.dumps import dump_of, hard_records, many, record
from tests.notes.made import new_note


@pytest.fixture
def feature(emptied: Storage) -> DumpedFeature:
    """Notes, of which there are none."""
    return find("notes", FEATURES, emptied)


@pytest.fixture
def notes(emptied: Storage) -> NoteRepository:
    """The repository of the same."""
    notes: NoteRepository = emptied.repository(NOTES_FEATURE)
    return notes


def test_a_dump_has_fixed_bytes() -> None:
    whole = replace(
        record(1, "Straße \U0001f600\n"),
        times_sent=2,
        version=3,
        comments=[CommentRecord(numbered(2), "c", TIME, CommentRequest("k", 2))],
        idempotency=FirstRequest("K", digest("x")),
    )

    first, last = dump_of([whole]).decode().splitlines()

    assert first == (
        '{"id":"019b7e4a-4a2e-7000-8000-000000000001","content":"Straße \U0001f600\\n",'
        '"times_sent":2,"version":3,"created_at":"2026-01-02T03:04:05.678Z",'
        '"updated_at":"2026-01-02T03:04:05.678Z","comments":['
        '{"id":"019b7e4a-4a2e-7000-8000-000000000002","content":"c",'
        '"created_at":"2026-01-02T03:04:05.678Z","idempotency":{"key":"k","version":2}}],'
        '"idempotency":{"key":"K","sha256":'
        '"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}'
    )
    assert last == (
        '{"notes":1,"sha256":"fc625c477b3b108866ca197826f473373b375da85512f1e6e6a7f6191f9456ad"}'
    )


async def test_what_is_loaded_is_dumped_again(feature: DumpedFeature) -> None:
    for records in ([], hard_records(), many(250)):
        dump = dump_of(records)
        assert await loaded(feature, dump) == len(records)
        assert await loaded(feature, dump) == len(records)

    expected = {r.id: r for r in hard_records()} | {r.id: r for r in many(250)}
    assert await dumped(feature) == dump_of(list(expected.values()))


async def test_a_dump_of_nothing_is_one_line(feature: DumpedFeature) -> None:
    assert await dumped(feature) == b'{"notes":0,"sha256":"%b"}\n' % digest("").encode()


async def test_loading_puts_back_and_leaves_others(
    feature: DumpedFeature, notes: NoteRepository
) -> None:
    dump = dump_of(hard_records())
    await loaded(feature, dump)
    await notes.update(numbered(0), {"content": "changed"})
    await notes.delete(numbered(1))
    await notes.add_comment(numbered(3), Comment.new("new"), key="k")
    await notes.delete_comment(numbered(4), numbered(1007))
    await notes.add_comment(numbered(4), Comment.new("new"), key="k" * 255)  # That of the deleted.
    other = await notes.add(new_note("another"))

    await loaded(feature, dump)

    assert await notes.get(other.id) == other
    await notes.delete(other.id)
    assert await dumped(feature) == dump
