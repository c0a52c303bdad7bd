"""Notes in memory: what the repository's promises come to when nothing else is in the way."""

from dataclasses import replace
from uuid import UUID

from app.kit.errors import Conflict, KeyReused, NotFound, PreconditionFailed
from app.kit.ids import now
from app.notes.models import MAX_COMMENTS, NO_SUCH_NOTE, Comment, Note
from app.notes.repository import NoteRepository, Versions


class MemoryNotes(NoteRepository):
    """Keeps notes in a dictionary."""

    def __init__(self) -> None:
        self._notes: dict[UUID, Note] = {}
        self._first: dict[str, Note] = {}
        self._first_comments: dict[tuple[UUID, str], tuple[Comment, int]] = {}

    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        ids = sorted(self._notes, reverse=True)
        return [self._notes[i] for i in ids if before is None or i < before][:limit]

    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        if note_id not in self._notes:
            raise NotFound(NO_SUCH_NOTE)
        note = self._notes[note_id]
        if expected is not None and note.version not in expected:
            raise PreconditionFailed("The note has changed.")
        return note

    async def add(self, note: Note, *, key: str | None = None) -> Note:
        if key in self._first:
            first = self._first[key]
            if first.content != note.content:
                raise KeyReused
            return first
        if note.id in self._notes:
            raise Conflict("The id is taken.")
        self._notes[note.id] = note
        if key:
            self._first[key] = note
        return note

    async def update_content(
        self, note_id: UUID, content: str, *, expected: Versions = None
    ) -> Note:
        return self._changed(replace(await self.get(note_id, expected=expected), content=content))

    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        note = await self.get(note_id, expected=expected)
        return self._changed(replace(note, times_sent=note.times_sent + 1))

    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        await self.get(note_id, expected=expected)
        del self._notes[note_id]
        self._first = {key: note for key, note in self._first.items() if note.id != note_id}

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
        if len(note.comments) == MAX_COMMENTS:
            raise Conflict("The note has all the comments it may have.")
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
        self._notes[note.id] = replace(note, version=note.version + 1, updated_at=now())
        return self._notes[note.id]
