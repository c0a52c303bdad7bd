"""Notes in memory: what the repository's promises come to when nothing else is in the way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.kit.errors import Conflict, KeyReused
from app.kit.idempotency import first_request
from app.kit.ids import now
from app.kit.resources import Versions, one
from app.notes.models import Comment, NewNote, Note
from app.notes.repository import NoteRepository


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
        return one(filter(None, [self._notes.get(note_id)]), expected, "note")

    async def add(self, note: Note, *, key: str | None = None) -> Note:
        if key in self._first:
            first = self._first[key]
            if first_request(key, NewNote, first) != first_request(key, NewNote, note):
                raise KeyReused
            return first
        if note.id in self._notes:
            raise Conflict("The id is taken.")
        self._notes[note.id] = note
        if key:
            self._first[key] = note
        return note

    async def update(
        self, note_id: UUID, values: Mapping[str, Any], *, expected: Versions = None
    ) -> Note:
        return self._changed(replace(await self.get(note_id, expected=expected), **values))

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
        self._notes[note.id] = replace(note, version=note.version + 1, updated_at=now())
        return self._notes[note.id]
