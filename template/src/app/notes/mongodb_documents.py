"""Notes as documents of MongoDB.

``RULES`` say what a document must be to hold a note. The database refuses to store another by its
``VALIDATOR``, which also knows what is kept of a request with a key, as ``idempotency`` in what it
added. What else a document or a comment has is kept, and not read.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from bson import Binary, Int64
from bson.binary import UUID_SUBTYPE

from app.kit.fields import MAX_CONTENT
from app.kit.idempotency import MAX_KEY, digest
from app.kit.storage.mongodb import Document
from app.notes.models import MAX_COMMENTS, Comment, Note

FIRST_UUID, LAST_UUID = Binary(bytes(16), UUID_SUBTYPE), Binary(b"\xff" * 16, UUID_SUBTYPE)
"""MongoDB sorts all UUIDs between these, and nothing else."""


def _object(optional: Document, **required: Document) -> Document:
    properties = required | optional
    return {"bsonType": "object", "required": list(required), "properties": properties}


_ID = {"bsonType": "binData"}
_CONTENT = {"bsonType": "string", "minLength": 1, "maxLength": MAX_CONTENT}
_TIME = {"bsonType": "date"}
_INTEGER = {"bsonType": ["int", "long"]}
_KEY = {"bsonType": "string", "minLength": 1, "maxLength": MAX_KEY}
_SHA256 = {"bsonType": "string", "minLength": 64, "maxLength": 64}
_OF_NOTE = {"idempotency": _object({}, key=_KEY, sha256=_SHA256)}
_OF_COMMENT = {"idempotency": _object({}, key=_KEY, version=_INTEGER | {"minimum": 1})}


def _rules(of_note: Document, of_comment: Document) -> Document:
    comment = _object(of_comment, id=_ID, content=_CONTENT, created_at=_TIME)
    note = _object(
        of_note,
        _id=_ID,
        content=_CONTENT,
        times_sent=_INTEGER | {"minimum": 0},
        version=_INTEGER | {"minimum": 1},
        created_at=_TIME,
        updated_at=_TIME,
        comments={"bsonType": "array", "maxItems": MAX_COMMENTS, "items": comment},
    )
    foreign_ids = [{"comments.id": {"$lt": FIRST_UUID}}, {"comments.id": {"$gt": LAST_UUID}}]
    return {"$jsonSchema": note, "$nor": foreign_ids}


RULES = _rules({}, {})
VALIDATOR = _rules(_OF_NOTE, _OF_COMMENT)

READ: Document = {
    "content": 1,
    "times_sent": 1,
    "version": 1,
    "created_at": 1,
    "updated_at": 1,
    "comments": {"id": 1, "content": 1, "created_at": 1},
}
"""A projection of what a note is made of."""

_INTEGERS = (int, Int64)
_COMMENT_VALUES = itemgetter("id", "content", "created_at")
_NOTE_VALUES = itemgetter(
    "_id", "content", "times_sent", "version", "created_at", "updated_at", "comments"
)


class NoNote(Exception):
    """The document of this id breaks the rules."""


def to_document(note: Note, key: str | None = None) -> Document:
    """Return the document that holds a new note."""
    request = {"idempotency": {"key": key, "sha256": digest(note.content)}} if key else {}
    return {
        "_id": note.id,
        "content": note.content,
        "times_sent": note.times_sent,
        "version": note.version,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "comments": to_documents(sorted(note.comments, key=lambda comment: comment.id)),
        **request,
    }


def to_documents(comments: Iterable[Comment]) -> list[Document]:
    """Return the documents that hold comments."""
    return [{"id": c.id, "content": c.content, "created_at": c.created_at} for c in comments]


def to_note(document: Document) -> Note:
    """Return the note that a document holds, or raise ``NoNote`` where ``RULES`` would refuse it.

    MongoDB could look at the rules in each query, for twice the work. This costs next to nothing.
    """
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
            read = [to_comment(comment) for comment in comments]
            return Note(note_id, content, sent, version, created, updated, read)
    except (KeyError, TypeError, ValueError):
        pass
    raise NoNote(document["_id"])


def to_comment(document: Document) -> Comment:
    """Return the comment that a document holds, or raise an error of Python's."""
    comment_id, content, created = _COMMENT_VALUES(document)
    if (
        type(comment_id) is UUID
        and type(content) is str
        and 0 < len(content) <= MAX_CONTENT
        and type(created) is datetime
    ):
        return Comment(comment_id, content, created)
    raise ValueError
