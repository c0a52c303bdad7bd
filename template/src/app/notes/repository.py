"""The interface between notes and a database."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from app.kit.resources import Versions
from app.notes.models import Comment, Note


class NoteRepository(Protocol):
    """Stores notes together with their comments.

    Each method is atomic, and durable when it returns. It raises ``NotFound`` if the note does not
    exist, ``PreconditionFailed`` if its version is not ``expected``, and ``Unavailable`` if the
    database cannot be reached. Every change adds 1 to the note's version.

    A note or a comment may be added with a ``key``. If the one that was added first with this key
    still exists, nothing is stored: the method returns what it returned the first time, whatever
    version is expected now, or raises ``KeyReused`` if the client's body is different.
    """

    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        """Return up to ``limit`` notes, newest first, all older than the id ``before``."""
        ...

    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        """Return one note."""
        ...

    async def add(self, note: Note, *, key: str | None = None) -> Note:
        """Store a new note with its comments; an id already taken raises ``Conflict``."""
        ...

    async def update(
        self, note_id: UUID, values: Mapping[str, Any], *, expected: Versions = None
    ) -> Note:
        """Set some fields of a note to new values, and return it."""
        ...

    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        """Add 1 to ``times_sent`` and return the note."""
        ...

    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        """Delete a note with its comments."""
        ...

    async def add_comment(
        self,
        note_id: UUID,
        comment: Comment,
        *,
        expected: Versions = None,
        key: str | None = None,
    ) -> tuple[Comment, int]:
        """Add a comment; return it with the note's new version.

        Raises ``Conflict`` if the note has ``MAX_COMMENTS`` already.
        """
        ...

    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        """Delete a comment; raise ``NotFound`` if the note does not have it."""
        ...
