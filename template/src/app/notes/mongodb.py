"""Notes in one collection of MongoDB."""

from uuid import UUID

from pymongo.errors import DuplicateKeyError

from app.kit.errors import Conflict, KeyReused
from app.kit.idempotency import digest
from app.kit.storage import operation
from app.notes.models import Comment, Note
from app.notes.mongodb_commands import Commands, changes, choose, require, require_room
from app.notes.mongodb_documents import (
    FIRST_UUID,
    LAST_UUID,
    to_comment,
    to_document,
    to_documents,
)
from app.notes.mongodb_records import Records
from app.notes.repository import NoteRepository, Versions

NOTHING = {"$setOnInsert": {"version": 0}}
"""An update that changes nothing; as a write, it waits until what it finds is durable."""


class Repository(Records, Commands, NoteRepository):
    """Keeps notes in MongoDB; a change is one command that finds the note by all conditions."""

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        end = {"$lt": before} if before else {"$lte": LAST_UUID}
        return await self._find({"_id": {"$gte": FIRST_UUID, **end}}, limit)

    @operation
    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self._get(note_id, expected)

    @operation
    async def add(self, note: Note, *, key: str | None = None) -> Note:
        while True:
            try:
                await self.notes.insert_one(to_document(note, key))
                return note
            except DuplicateKeyError:
                if key and (first := await self._first(note.content, key)):
                    return first
                if not key or await self.notes.find_one({"_id": note.id}, {"_id": 1}):
                    raise Conflict("The id is taken.") from None

    @operation
    async def update_content(
        self, note_id: UUID, content: str, *, expected: Versions = None
    ) -> Note:
        return await self._changed(note_id, expected, changes(content=content))

    @operation
    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self._changed(note_id, expected, changes(times_sent=1))

    @operation
    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        while not (await self.notes.delete_one(choose(note_id, expected))).deleted_count:
            await self._get(note_id, expected)

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
        (added,) = to_documents([comment])
        while not (version := await self._push(note_id, expected, added)):
            require_room(await self._get(note_id, expected))
        return comment, version

    @operation
    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        this = {"id": comment_id}
        chosen = choose(note_id, expected) | {"comments": {"$elemMatch": this}}
        update = changes() | {"$pull": {"comments": this}}
        while not await self._change(chosen, update, {"version": 1}):
            (await self._get(note_id)).comment(comment_id)
            await self._get(note_id, expected)

    async def _first(self, content: str, key: str) -> Note | None:
        """Return the note of a key as it was at first, if it is still there."""
        read = {"idempotency": 1, "created_at": 1}
        if not (found := await self._change({"idempotency.key": key}, NOTHING, read)):
            return None
        if found["idempotency"]["sha256"] != digest(content):
            raise KeyReused
        return Note.first(found["_id"], content, found["created_at"])

    async def _add_comment_once(
        self, note_id: UUID, comment: Comment, expected: Versions, key: str
    ) -> tuple[Comment, int]:
        (added,) = to_documents([comment])
        while True:
            note = await self._get(note_id)
            if first := await self._first_comment(note_id, comment.content, key):
                return first
            require(note, expected)
            require_room(note)
            added["idempotency"] = {"key": key, "version": note.version + 1}
            if version := await self._push(note_id, frozenset({note.version}), added):
                return comment, version

    async def _first_comment(
        self, note_id: UUID, content: str, key: str
    ) -> tuple[Comment, int] | None:
        """Return what adding the comment of a key has returned, if it is still there."""
        chosen = {"_id": note_id, "comments.idempotency.key": key}
        read = {"comments": {"$elemMatch": {"idempotency.key": key}}}
        if not (document := await self._change(chosen, NOTHING, read)):
            return None
        (found,) = document["comments"]
        if found["content"] != content:
            raise KeyReused
        return to_comment(found), found["idempotency"]["version"]
