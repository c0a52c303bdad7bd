"""Notes to start with."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.kit.errors import Conflict
from app.notes.models import Comment, NewNote, Note
from app.notes.repository import NoteRepository

_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _id(number: int) -> UUID:
    """Return a fixed id for the seed with this number."""
    return UUID(int=int(_TIME.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | number)


def _note(number: int, content: str, **more: Any) -> Note:
    note = Note.new(NewNote(content=content))
    return replace(note, id=_id(number), created_at=_TIME, updated_at=_TIME, **more)


def _comment(number: int, content: str) -> Comment:
    return replace(Comment.new(content), id=_id(number), created_at=_TIME)


SEEDS = (
    _note(1, "Buy oat milk"),
    _note(2, "Call the plumber", times_sent=2, version=3),
    _note(
        3,
        "Plan the summer party",
        version=3,
        comments=[
            _comment(4, "The garden is free on the 12th"),
            _comment(5, "Ask Ada about the music"),
        ],
    ),
)


async def seed(notes: NoteRepository) -> int:
    """Add the missing seeds, and return how many were added."""
    added = 0
    for note in SEEDS:
        with suppress(Conflict):
            await notes.add(note)
            added += 1
    return added
