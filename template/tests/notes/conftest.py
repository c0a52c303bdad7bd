"""Repositories of notes."""

import pytest

from app.kit.storage import Storage
from app.notes.repository import NoteRepository
from tests.notes.memory import MemoryNotes
from tests.notes.samples import FEATURE


@pytest.fixture(params=["database", "memory"])
def notes(request: pytest.FixtureRequest, storage: Storage) -> NoteRepository:
    """The real repository, and one in memory that must be like it."""
    real: NoteRepository = storage.repository(FEATURE)
    return MemoryNotes() if request.param == "memory" else real
