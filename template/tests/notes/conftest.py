"""Repositories of notes."""

import asyncio

import pytest

from app.kit.features import Feature
from app.kit.storage import Storage
from app.notes.repository import NoteRepository
from tests.notes.memory import MemoryNotes

NOTES_FEATURE = Feature("notes", "app.notes")


@pytest.fixture
async def emptied(storage: Storage) -> Storage:
    """The shared database, open and without notes."""
    await delete_all(storage.repository(NOTES_FEATURE))
    return storage


async def delete_all(notes: NoteRepository) -> None:
    """Delete every note."""
    while page := await notes.latest(limit=100):
        await asyncio.gather(*(notes.delete(note.id) for note in page))


@pytest.fixture(params=["database", "memory"])
async def notes(request: pytest.FixtureRequest, emptied: Storage) -> NoteRepository:
    """A repository without notes: the real one, and one in memory that must be like it."""
    if request.param == "memory":
        return MemoryNotes()
    notes: NoteRepository = emptied.repository(NOTES_FEATURE)
    return notes
