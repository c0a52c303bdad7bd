"""Transactions that meet each other."""

import asyncio
from functools import partial

import sqlalchemy as sa

from app.kit.storage import Storage
from app.kit.storage.sql import SqlStorage
from app.notes.models import Note
from app.notes.sql_rows import notes
from tests.conftest import NOTES_FEATURE


async def test_a_transaction_that_meets_a_deadlock_is_run_again(emptied: Storage) -> None:
    """Where writers wait for each other from the beginning, they meet none, and end as well."""
    assert isinstance(emptied, SqlStorage)
    storage, repository = emptied, emptied.repository(NOTES_FEATURE)
    first, second = [await repository.add(Note.new("x")) for _ in range(2)]

    async def change(*both: Note) -> None:
        async with storage.transaction() as transaction:
            for note in both:
                sent = sa.update(notes).values(times_sent=notes.c.times_sent + 1)
                await transaction.execute(sent.where(notes.c.id == note.id))
                await asyncio.sleep(0.05)

    await asyncio.gather(
        storage.bounded(partial(change, first, second)),
        storage.bounded(partial(change, second, first)),
    )

    assert [note.times_sent for note in await repository.latest(limit=2)] == [2, 2]
