"""Dumps and loads of notes with their comments."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.kit.dump.feature import DumpedFeature, find
from app.kit.idempotency import digest
from app.kit.storage import open_storage
from app.notes.models import Comment
from app.settings import Settings
from tests.kit.dumps import dumped, loaded, numbered
from tests.notes.samples import FEATURE, dump_of, hard_records, many, new_note


@pytest.fixture
async def feature(empty_database: Settings) -> AsyncIterator[DumpedFeature]:
    """Notes in a database without any."""
    async with open_storage(empty_database) as storage:
        await storage.migrate()
        yield find("notes", [FEATURE], storage)


async def test_what_is_loaded_is_dumped_again(feature: DumpedFeature) -> None:
    assert await dumped(feature) == b'{"notes":0,"sha256":"%b"}\n' % digest("").encode()

    for records in ([], hard_records(), many(250)):
        for _ in range(2):
            assert await loaded(feature, dump_of(records)) == len(records)

    expected = {each.id: each for each in (*hard_records(), *many(250))}
    assert await dumped(feature) == dump_of(list(expected.values()))


async def test_loading_puts_comments_back_and_leaves_others(feature: DumpedFeature) -> None:
    notes: Any = feature.repository
    await loaded(feature, dump := dump_of(hard_records()))
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
