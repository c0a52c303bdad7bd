"""Dumps and loads of notes: what is in them, and what they leave alone."""

import pytest

from app.kit.dump.feature import DumpedFeature, find
from app.kit.features import FEATURES
from app.kit.idempotency import digest
from app.kit.storage import Storage
from app.notes.models import Comment
from app.notes.repository import NoteRepository
from tests.kit.dumps import dumped, loaded, numbered
from tests.notes.conftest import NOTES_FEATURE
from tests.notes.dumps import dump_of, hard_records, many
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
