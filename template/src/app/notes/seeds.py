"""Notes to begin with."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from app.kit.errors import Conflict
from app.notes.models import Comment, Note
from app.notes.repository import NoteRepository

_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _id(number: int) -> UUID:
    """Return the id of the seed with this number: of the time above, and the same every time."""
    return UUID(int=int(_TIME.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | number)


SEEDS = (
    Note(_id(1), "Buy oat milk", 0, 1, _TIME, _TIME, []),
    Note(_id(2), "Call the plumber", 2, 3, _TIME, _TIME, []),
    Note(
        _id(3),
        "Plan the summer party",
        0,
        3,
        _TIME,
        _TIME,
        [
            Comment(_id(4), "The garden is free on the 12th", _TIME),
            Comment(_id(5), "Ask Ada about the music", _TIME),
        ],
    ),
)


async def seed(notes: NoteRepository) -> int:
    """Add the seeds that are not there, and return how many were added."""
    added = 0
    for note in SEEDS:
        with suppress(Conflict):
            await notes.add(note)
            added += 1
    return added
