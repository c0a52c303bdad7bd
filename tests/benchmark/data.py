"""The notes that every database is filled with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

NOW = datetime.now(UTC).replace(microsecond=0)
COMMENTED = 1000
"""How many of the notes of a first page, and of a deep one, have comments, two each."""
BATCH = 10_000


class Comment(NamedTuple):
    """A comment, its fields in the order of the table's columns."""

    id: UUID
    content: str
    created_at: datetime


class Note(NamedTuple):
    """The same for a note and its comments."""

    id: UUID
    content: str
    times_sent: int
    version: int
    created_at: datetime
    updated_at: datetime
    comments: list[Comment]


def note_id(back: int, serial: int = 0) -> UUID:
    """Return a UUIDv7 made ``back`` seconds ago."""
    milliseconds = (int(NOW.timestamp()) - back) * 1000
    return UUID(int=milliseconds << 80 | 0x70008 << 60 | serial)


def batches(notes: int, depth: int) -> Iterator[list[Note]]:
    """Yield so many notes in lists, oldest first, one note a second, the last of them now."""
    made = (_note(back, depth) for back in reversed(range(notes)))
    while batch := list(islice(made, BATCH)):
        yield batch


def _note(back: int, depth: int) -> Note:
    content = f"Note {back}: buy oat milk and call the plumber before six"
    time = NOW - timedelta(seconds=back)
    commented = 0 <= back < COMMENTED or depth <= back < depth + COMMENTED
    comments = [_comment(back, number) for number in (1, 2) if commented]
    return Note(note_id(back), content, 0, 1, time, time, comments)


def _comment(back: int, number: int) -> Comment:
    content = f"Comment {number}: the garden is free on the 12th"
    return Comment(note_id(back, number), content, NOW)
