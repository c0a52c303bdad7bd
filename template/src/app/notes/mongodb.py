"""Notes in one collection, each a document with its comments in it.

A document that breaks the rules, as an older or a foreign hand may have left it, is no note: no
page has it, asking for it raises ``NotFound``, no method changes it, and the log names it.
"""

import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from bson.errors import InvalidBSON
from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.errors import Conflict, KeyReused, NotFound, PreconditionFailed
from app.idempotency import digest
from app.identity import now
from app.notes.models import MAX_COMMENTS, NO_SUCH_NOTE, Comment, Note
from app.notes.mongodb_documents import (
    FIRST_UUID,
    LAST_UUID,
    READ,
    RULES,
    NoNote,
    to_comment,
    to_document,
    to_documents,
    to_note,
)
from app.notes.mongodb_records import Records
from app.notes.repository import NoteRepository, Versions
from app.storage.mongodb import Document, Storage
from app.storage.operations import operation

log = logging.getLogger(__name__)

HAS_ROOM = {f"comments.{MAX_COMMENTS - 1}": {"$exists": False}}


class Repository(Records, NoteRepository):
    """Keeps notes in MongoDB.

    A change is one command that finds the note by all its conditions. If there is none, a second
    command finds out why; if it finds no reason, the note has changed in between: once more.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.notes = storage.database.notes

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
    async def rewrite(self, note_id: UUID, content: str, *, expected: Versions = None) -> Note:
        return await self._changed(note_id, expected, _changes(content=content))

    @operation
    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self._changed(note_id, expected, _changes(times_sent=1))

    @operation
    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        while not (await self.notes.delete_one(_chosen(note_id, expected))).deleted_count:
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
            _require_room(await self._get(note_id, expected))
        return comment, version

    @operation
    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        this = {"id": comment_id}
        chosen = _chosen(note_id, expected) | {"comments": {"$elemMatch": this}}
        update = _changes() | {"$pull": {"comments": this}}
        while not await self._change(chosen, update, {"version": 1}):
            (await self._get(note_id)).comment(comment_id)
            await self._get(note_id, expected)

    async def _first(self, content: str, key: str) -> Note | None:
        """Return the note of a key as it was at first, if it is still there."""
        read = {"idempotency": 1, "created_at": 1}
        found = await self.notes.find_one({"idempotency.key": key}, read)
        if found and found["idempotency"]["sha256"] != digest(content):
            raise KeyReused
        return Note.first(found["_id"], content, found["created_at"]) if found else None

    async def _add_comment_once(
        self, note_id: UUID, comment: Comment, expected: Versions, key: str
    ) -> tuple[Comment, int]:
        (added,) = to_documents([comment])
        while True:
            note = await self._get(note_id)
            if first := await self._first_comment(note_id, comment.content, key):
                return first
            _require(note, expected)
            _require_room(note)
            added["idempotency"] = {"key": key, "version": note.version + 1}
            if version := await self._push(note_id, frozenset({note.version}), added):
                return comment, version

    async def _first_comment(
        self, note_id: UUID, content: str, key: str
    ) -> tuple[Comment, int] | None:
        """Return what adding the comment of a key has returned, if it is still there."""
        chosen = {"_id": note_id, "comments.idempotency.key": key}
        read = {"comments": {"$elemMatch": {"idempotency.key": key}}}
        nothing = {"$setOnInsert": {"version": 0}}  # As a write, it waits for the majority.
        if not (document := await self._change(chosen, nothing, read)):
            return None
        (found,) = document["comments"]
        if found["content"] != content:
            raise KeyReused
        return to_comment(found), found["idempotency"]["version"]

    async def _push(self, note_id: UUID, expected: Versions, added: Document) -> int | None:
        """Add a comment if there is room, and return the version of the note then."""
        chosen = _chosen(note_id, expected) | HAS_ROOM
        update = _changes() | {"$push": {"comments": {"$each": [added], "$sort": {"id": 1}}}}
        changed = await self._change(chosen, update, {"version": 1})
        return changed["version"] if changed else None

    async def _get(self, note_id: UUID, expected: Versions = None) -> Note:
        for note in await self._find({"_id": note_id}, 1):
            _require(note, expected)
            return note
        raise NotFound(NO_SUCH_NOTE)

    async def _find(self, ids: Document, limit: int) -> list[Note]:
        """Return the notes of these ids, newest first.

        MongoDB is asked to look at the rules only once a document was met that breaks them.
        """
        order = [("_id", DESCENDING)]
        try:
            documents = await self.notes.find(ids, sort=order, limit=limit).to_list()
            return [to_note(document) for document in documents]
        except (InvalidBSON, NoNote) as error:
            log.warning("A document breaks the rules of notes: %s", error)
        found = []
        for document in await self.notes.find(ids | RULES, READ, sort=order, limit=limit).to_list():
            with suppress(NoNote):
                found.append(to_note(document))
        return found

    async def _changed(self, note_id: UUID, expected: Versions, update: Document) -> Note:
        chosen = _chosen(note_id, expected)
        while not (document := await self._change(chosen, update, READ)):
            await self._get(note_id, expected)
        return to_note(document)

    async def _change(self, chosen: Document, update: Document, read: Document) -> Document | None:
        after = ReturnDocument.AFTER
        return await self.notes.find_one_and_update(chosen, update, read, return_document=after)


def _require(note: Note, expected: Versions) -> None:
    if expected is not None and note.version not in expected:
        raise PreconditionFailed("The note has changed.")


def _require_room(note: Note) -> None:
    if len(note.comments) >= MAX_COMMENTS:
        raise Conflict(f"The note has {MAX_COMMENTS} comments already.")


def _chosen(note_id: UUID, expected: Versions) -> Document:
    version = {} if expected is None else {"version": {"$in": list(expected)}}
    return {"_id": note_id, **version, **RULES}


def _changes(times_sent: int = 0, **values: Any) -> Document:
    return {
        "$inc": {"version": 1, "times_sent": times_sent},
        "$set": {"updated_at": now(), **values},
    }
