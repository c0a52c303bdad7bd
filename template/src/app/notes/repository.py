"""What notes need of a database, whichever it is."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from app.kit.resources import Versions
from app.notes.models import Comment, Note


class NoteRepository(Protocol):
    """Stores notes together with their comments.

    Each method happens entirely or not at all, and is durable when it returns. A note that does
    not exist raises ``NotFound``; one whose version is not ``expected``, ``PreconditionFailed``;
    a database out of reach, ``Unavailable``. Every change adds 1 to the note's version.

    What is added may have a ``key``. Adding under the key of a note that is there, or of a comment
    that its note has, stores nothing: it returns what that returned the first time, whatever is
    expected now, or raises ``KeyReused`` if what a client wrote is another.
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
        """Give some fields of a note other values and return it."""
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
        """Add a comment, which is returned with the note's version then.

        Past ``MAX_COMMENTS`` it raises ``Conflict``.
        """
        ...

    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        """Delete a comment; one the note does not have raises ``NotFound``."""
        ...
