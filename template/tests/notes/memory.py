"""Notes in memory: what the repository's promises come to when nothing else is in the way."""

from dataclasses import replace
from uuid import UUID

from app.kit.errors import KeyReused
from app.kit.ids import now
from app.kit.resources import Versions
from app.notes.models import Comment, NewNote, Note
from app.notes.repository import NoteRepository
from tests.kit.memory import MemoryResources


class MemoryNotes(MemoryResources[Note], NoteRepository):
    """Keeps notes in a dictionary."""

    kind, body = "note", NewNote

    def __init__(self) -> None:
        super().__init__()
        self._first_comments: dict[tuple[UUID, str], tuple[Comment, int]] = {}

    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        note = await self.get(note_id, expected=expected)
        return self._changed(replace(note, times_sent=note.times_sent + 1))

    async def add_comment(
        self,
        note_id: UUID,
        comment: Comment,
        *,
        expected: Versions = None,
        key: str | None = None,
    ) -> tuple[Comment, int]:
        note = await self.get(note_id)
        for first, version in self._with_key(note, key):
            if first.content != comment.content:
                raise KeyReused
            return first, version
        note = await self.get(note_id, expected=expected)
        note.require_room()
        version = self._changed(replace(note, comments=[*note.comments, comment])).version
        if key:
            self._first_comments[note_id, key] = comment, version
        return comment, version

    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        gone = (await self.get(note_id)).comment(comment_id)
        note = await self.get(note_id, expected=expected)
        self._changed(replace(note, comments=[c for c in note.comments if c != gone]))

    def _with_key(self, note: Note, key: str | None) -> list[tuple[Comment, int]]:
        found = self._first_comments.get((note.id, key)) if key else None
        return [found] if found and found[0] in note.comments else []

    def _changed(self, note: Note) -> Note:
        self._kept[note.id] = replace(note, version=note.version + 1, updated_at=now())
        return self._kept[note.id]
