"""What has changed since a dump of notes, and brings another database up to date."""

import asyncio
from io import BytesIO

import pytest

from app.kit.dump import work
from app.kit.dump.changes import Earlier
from app.kit.dump.feature import DumpedFeature, find
from app.kit.features import FEATURES
from app.kit.storage import Storage
from app.notes.models import Comment
from app.notes.repository import NoteRepository
from tests.kit.dumps import dumped, loaded, numbered, quiet
from tests.notes.emptying import delete_all
from tests.notes.samples import FEATURE, dump_of, hard_records, many, new_note


@pytest.fixture
async def feature(storage: Storage) -> DumpedFeature:
    """Notes, of which there are none."""
    await delete_all(storage.repository(FEATURE))
    return find("notes", FEATURES, storage)


async def changes_since(earlier: bytes, feature: DumpedFeature) -> bytes:
    file = BytesIO()
    await work.dump([feature], file, quiet, Earlier(BytesIO(earlier)))
    return file.getvalue()


async def load_changes(changes: bytes, feature: DumpedFeature) -> None:
    gone = work.check([feature], BytesIO(changes), quiet)
    await work.load_and_delete([feature], BytesIO(changes), quiet, None, gone)


async def change(notes: NoteRepository, number: int) -> None:
    """Change notes in each way."""
    await notes.update(numbered(0), {"content": f"changed {number}"})
    await notes.send(numbered(0))
    await notes.add_comment(numbered(3), Comment.new("new"), key=f"key-{number}")
    await notes.add(new_note("with a key"), key=f"key-{number}")


async def test_changes_bring_another_database_up_to_date(
    storage: Storage, feature: DumpedFeature
) -> None:
    notes: NoteRepository = storage.repository(FEATURE)
    earlier = dump_of(hard_records())
    await loaded(feature, earlier)
    assert (await changes_since(earlier, feature)).startswith(b'{"notes":0,')
    await change(notes, 1)
    await notes.delete_comment(numbered(4), numbered(1007))
    await notes.delete(numbered(1))

    changes, now = await changes_since(earlier, feature), await dumped(feature)
    await delete_all(notes)
    await loaded(feature, earlier)
    for _ in range(2):  # As after one that was killed.
        await load_changes(changes, feature)
        assert await dumped(feature) == now

    assert changes.count(b"\n") == 6  # Four notes, a deletion, and the closing line.
    assert changes.count(b'{"deleted":"%b"}\n' % str(numbered(1)).encode()) == 1


async def test_a_dump_may_be_written_while_clients_write(
    storage: Storage, feature: DumpedFeature
) -> None:
    notes: NoteRepository = storage.repository(FEATURE)
    await loaded(feature, dump_of(hard_records()))
    await loaded(feature, dump_of(many(250)[100:]))
    writing = asyncio.create_task(write(notes))
    earlier = await dumped(feature)
    await writing

    changes, now = await changes_since(earlier, feature), await dumped(feature)
    await delete_all(notes)
    await loaded(feature, earlier)
    await load_changes(changes, feature)

    assert await dumped(feature) == now


async def write(notes: NoteRepository) -> None:
    for number in range(10):
        await change(notes, number)
        await notes.delete(numbered(249 - number))
