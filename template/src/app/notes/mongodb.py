"""Notes in one collection, each a document with its comments in it.

``RULES`` say what a document must be to hold a note, and the database refuses to store another.
One that breaks them all the same, as an older or a foreign hand may have left it, is no note: no
page has it, asking for it raises ``NotFound``, no method changes it, and the log names it. What
else a document or a comment has is not read, and kept.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from bson import Int64
from bson.errors import InvalidBSON
from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.errors import Conflict, NotFound, PreconditionFailed
from app.identity import now
from app.notes.models import MAX_COMMENTS, MAX_CONTENT, NO_SUCH_NOTE, Comment, Note
from app.notes.repository import NoteRepository, Versions
from app.storage.mongodb import Document, Storage
from app.storage.operations import operation

log = logging.getLogger(__name__)

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
"""MongoDB sorts all UUIDs between these, and nothing else."""


def _object(**properties: Any) -> Document:
    return {"bsonType": "object", "required": list(properties), "properties": properties}


_ID = {"bsonType": "binData"}
_CONTENT = {"bsonType": "string", "minLength": 1, "maxLength": MAX_CONTENT}
_TIME = {"bsonType": "date"}
_INTEGER = {"bsonType": ["int", "long"]}
_COMMENTS = _object(id=_ID, content=_CONTENT, created_at=_TIME)

RULES = {
    "$jsonSchema": _object(
        _id=_ID,
        content=_CONTENT,
        times_sent=_INTEGER | {"minimum": 0},
        version=_INTEGER | {"minimum": 1},
        created_at=_TIME,
        updated_at=_TIME,
        comments={"bsonType": "array", "maxItems": MAX_COMMENTS, "items": _COMMENTS},
    ),
    "$nor": [{"comments.id": {"$lt": FIRST_ID}}, {"comments.id": {"$gt": LAST_ID}}],
}
READ = {
    "content": 1,
    "times_sent": 1,
    "version": 1,
    "created_at": 1,
    "updated_at": 1,
    "comments": {"id": 1, "content": 1, "created_at": 1},
}
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
        end = {"$lt": before} if before else {"$lte": LAST_ID}
        return await self._find({"_id": {"$gte": FIRST_ID, **end}}, limit)

    @operation
    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self._get(note_id, expected)

    @operation
    async def add(self, note: Note) -> None:
        try:
            await self.notes.insert_one(_note_document(note))
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
        added = {"$each": _comment_documents([comment]), "$sort": {"id": 1}}
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
            return [_note(document) for document in documents]
        except (InvalidBSON, _NoNote) as error:
            log.warning("Left out, as it breaks the rules of notes: %s", error)
        documents = await self.notes.find(ids | RULES, READ, sort=order, limit=limit).to_list()
        return [_note(document) for document in documents]

    async def _changed(self, note_id: UUID, expected: Versions, update: Document) -> Note:
        chosen = _chosen(note_id, expected)
        while not (document := await self._change(chosen, update, READ)):
            await self._get(note_id, expected)
        return _note(document)

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


def _note_document(note: Note) -> Document:
    return {
        "_id": note.id,
        "content": note.content,
        "times_sent": note.times_sent,
        "version": note.version,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "comments": _comment_documents(sorted(note.comments, key=lambda c: c.id)),
    }


def _comment_documents(comments: Iterable[Comment]) -> list[Document]:
    return [{"id": c.id, "content": c.content, "created_at": c.created_at} for c in comments]


class _NoNote(Exception):
    """The document of this id breaks the rules."""


def _note(document: Document) -> Note:
    """Return the note that a document holds, or raise ``_NoNote`` where ``RULES`` would refuse."""
    try:
        note_id, content, sent, version, created, updated, comments = _NOTE_VALUES(document)
        if (
            type(note_id) is UUID
            and type(content) is str
            and 0 < len(content) <= MAX_CONTENT
            and type(sent) in _INTEGERS
            and sent >= 0
            and type(version) in _INTEGERS
            and version >= 1
            and type(created) is datetime
            and type(updated) is datetime
            and type(comments) is list
            and len(comments) <= MAX_COMMENTS
        ):
            remarks = [_comment(comment) for comment in comments]
            return Note(note_id, content, sent, version, created, updated, remarks)
    except (KeyError, TypeError, ValueError):
        pass
    raise _NoNote(document["_id"])


def _comment(document: Document) -> Comment:
    comment_id, content, created = _COMMENT_VALUES(document)
    if (
        type(comment_id) is UUID
        and type(content) is str
        and 0 < len(content) <= MAX_CONTENT
        and type(created) is datetime
    ):
        return Comment(comment_id, content, created)
    raise ValueError


_INTEGERS = (int, Int64)
_COMMENT_VALUES = itemgetter("id", "content", "created_at")
_NOTE_VALUES = itemgetter(
    "_id", "content", "times_sent", "version", "created_at", "updated_at", "comments"
)
