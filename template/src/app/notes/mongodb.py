"""Notes in a collection of MongoDB; a note is one document with its comments."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.kit.errors import KeyReused
from app.kit.idempotency import first_request
from app.kit.mongodb import (
    NOTHING,
    Document,
    Documents,
    Resources,
    Storage,
    counted,
    dump_documents,
    load_documents,
    operation,
)
from app.kit.resources import Versions, require
from app.notes.models import MAX_COMMENTS, Comment, NewNote, Note, Record
from app.notes.repository import NoteRepository

NOTES, RECORDS = Documents(Note), Documents(Record)
COMMENTS = Documents(Comment, id_name="id")
HAS_ROOM = {f"comments.{MAX_COMMENTS - 1}": {"$exists": False}}


class Repository(NoteRepository):
    """Stores notes in MongoDB; a change is one command with all conditions."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.collection = storage.database["notes"]
        self.notes = Resources(storage, self.collection, "note", NOTES)

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        return await self.notes.page(limit, before)

    @operation
    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self.notes.get(note_id, expected)

    @operation
    async def add(self, note: Note, *, key: str | None = None) -> Note:
        return await self.notes.add(note, first_request(key, NewNote, note))

    @operation
    async def update(
        self, note_id: UUID, values: Mapping[str, Any], *, expected: Versions = None
    ) -> Note:
        return await self.notes.change(note_id, expected, {"$set": NOTES.values(values)})

    @operation
    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self.notes.change(note_id, expected, {"$inc": {"times_sent": 1}})

    @operation
    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        await self.notes.delete(note_id, expected)

    @operation
    async def add_comment(
        self,
        note_id: UUID,
        comment: Comment,
        *,
        expected: Versions = None,
        key: str | None = None,
    ) -> tuple[Comment, int]:
        if key:
            return await self._add_comment_once(note_id, comment, expected, key)
        while not (version := await self._push(note_id, expected, COMMENTS.write(comment))):
            (await self.notes.get(note_id, expected)).require_room()
        return comment, version

    @operation
    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        this = {"id": comment_id}
        chosen = self.notes.chosen(note_id, expected) | {"comments": {"$elemMatch": this}}
        update = counted({"$pull": {"comments": this}})
        while not await self.notes.find_and_update(chosen, update, {"version": 1}):
            (await self.notes.get(note_id)).comment(comment_id)
            await self.notes.get(note_id, expected)

    def dump(self) -> AsyncGenerator[Sequence[Record], None]:
        return dump_documents(self.storage, self.collection, RECORDS)

    @operation
    async def load(self, records: Sequence[Record]) -> None:
        await load_documents(self.storage, self.collection, RECORDS, records)

    async def _push(self, note_id: UUID, expected: Versions, added: Document) -> int | None:
        """Add a comment if there is room, and return the note's new version."""
        chosen = self.notes.chosen(note_id, expected) | HAS_ROOM
        update = counted({"$push": {"comments": {"$each": [added], "$sort": {"id": 1}}}})
        changed = await self.notes.find_and_update(chosen, update, {"version": 1})
        return changed["version"] if changed else None

    async def _add_comment_once(
        self, note_id: UUID, comment: Comment, expected: Versions, key: str
    ) -> tuple[Comment, int]:
        added = COMMENTS.write(comment)
        while True:
            note = await self.notes.get(note_id)
            if first := await self._first_comment(note_id, comment, key):
                return first
            require(note, expected, "note")
            note.require_room()
            added["idempotency"] = {"key": key, "version": note.version + 1}
            if version := await self._push(note_id, frozenset({note.version}), added):
                return comment, version

    async def _first_comment(
        self, note_id: UUID, comment: Comment, key: str
    ) -> tuple[Comment, int] | None:
        """Return the result of the first request with this key, if its comment still exists."""
        chosen = {"_id": note_id, "comments.idempotency.key": key}
        fields = {"comments": {"$elemMatch": {"idempotency.key": key}}}
        if not (document := await self.notes.find_and_update(chosen, NOTHING, fields)):
            return None
        (found,) = document["comments"]
        first = COMMENTS.read(found)
        if first != replace(comment, id=first.id, created_at=first.created_at):
            raise KeyReused
        return first, found["idempotency"]["version"]
