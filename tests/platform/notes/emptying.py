"""Notes that go."""

import asyncio

from app.notes.repository import NoteRepository


async def delete_all(notes: NoteRepository) -> None:
    """Delete every note."""
    while page := await notes.latest(limit=100):
        await asyncio.gather(*(notes.delete(note.id) for note in page))
