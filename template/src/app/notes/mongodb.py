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

from app.errors import Conflict, NotFound, PreconditionFailed
from app.identity import now
from app.notes.models import MAX_COMMENTS, NO_SUCH_NOTE, Comment, Note
from app.notes.mongodb_documents import (
    FIRST_UUID,
    LAST_UUID,
    READ,
    RULES,
    NoNote,
    to_document,
    to_documents,
    to_note,
)
from app.notes.repository import NoteRepository, Versions
from app.storage.mongodb import Document, Storage
from app.storage.operations import operation

log = logging.getLogger(__name__)

HAS_ROOM = {f"comments.{MAX_COMMENTS - 1}": {"$exists": False}}


class Repository(NoteRepository):
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
    async def add(self, note: Note) -> None:
        try:
            await self.notes.insert_one(to_document(note))
        except DuplicateKeyError:
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
        self, note_id: UUID, comment: Comment, *, expected: Versions = None
    ) -> int:
        chosen = _chosen(note_id, expected) | HAS_ROOM
        added = {"$each": to_documents([comment]), "$sort": {"id": 1}}
        update = _changes() | {"$push": {"comments": added}}
        while not (changed := await self._change(chosen, update, {"version": 1})):
            if len((await self._get(note_id, expected)).comments) >= MAX_COMMENTS:
                raise Conflict(f"The note has {MAX_COMMENTS} comments already.")
        version: int = changed["version"]
        return version

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

    async def _get(self, note_id: UUID, expected: Versions = None) -> Note:
        for note in await self._find({"_id": note_id}, 1):
            if expected is not None and note.version not in expected:
                raise PreconditionFailed("The note has changed.")
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


def _chosen(note_id: UUID, expected: Versions) -> Document:
    version = {} if expected is None else {"version": {"$in": list(expected)}}
    return {"_id": note_id, **version, **RULES}


def _changes(times_sent: int = 0, **values: Any) -> Document:
    return {
        "$inc": {"version": 1, "times_sent": times_sent},
        "$set": {"updated_at": now(), **values},
    }
