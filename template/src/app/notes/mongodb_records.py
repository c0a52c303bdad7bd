"""Notes dumped from MongoDB and loaded into it, with what their idempotency keys need."""

import logging
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from bson.errors import InvalidBSON
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from app.kit.errors import Conflict
from app.kit.storage import operation
from app.kit.storage.mongodb import Collection, Document, Storage
from app.notes.models import Comment, Note
from app.notes.mongodb_documents import (
    FIRST_UUID,
    LAST_UUID,
    READ,
    RULES,
    NoNote,
    to_document,
    to_note,
)
from app.notes.records import CommentRecord, CommentRequest, NoteRequest, Record

log = logging.getLogger(__name__)

PAGE = 100
DUPLICATE_KEY = 11000
READ_ALL = READ | {"idempotency": 1, "comments": READ["comments"] | {"idempotency": 1}}
LEFT_OUT = "A document breaks the rules of notes, and is left out: %s"


class Records:
    """The part of a repository that dumps and loads."""

    storage: Storage
    notes: Collection

    async def dump(self) -> AsyncGenerator[Sequence[Record], None]:
        """Yield all notes, oldest first and some at a time, as they were at one moment."""
        async with aclosing(self.storage.scan(self._page, FIRST_UUID)) as pages:
            async for documents in pages:
                yield list(_records(documents))

    @operation
    async def load(self, records: Sequence[Record]) -> None:
        """Store notes, each in the place of the one of its id, if there is one.

        An idempotency key that another note has raises ``Conflict``.
        """
        writes = [ReplaceOne({"_id": r.id}, _document(r), upsert=True) for r in records]
        try:
            await self.notes.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            if {failed["code"] for failed in error.details["writeErrors"]} != {DUPLICATE_KEY}:
                raise
            raise Conflict("An idempotency key is that of another note.") from None

    async def _page(self, after: Any, session: AsyncClientSession) -> list[Document]:
        ids: Document = {"_id": {"$gt": after, "$lte": LAST_UUID}}
        order: Document = {"sort": ["_id"], "limit": PAGE, "session": session}
        try:
            return await self.notes.find(ids, **order).to_list()
        except InvalidBSON as error:
            log.warning(LEFT_OUT, error)
        return await self.notes.find(ids | RULES, READ_ALL, **order).to_list()


def _records(documents: Iterable[Document]) -> Iterator[Record]:
    for document in documents:
        try:
            yield _record(document)
        except (NoNote, KeyError, TypeError):
            log.warning(LEFT_OUT, document["_id"])


def _record(document: Document) -> Record:
    note = to_note(document)
    comments = [
        CommentRecord(comment.id, comment.content, comment.created_at, _comment_request(held))
        for comment, held in zip(note.comments, document["comments"], strict=True)
    ]
    request = document.get("idempotency")
    return Record(
        note.id,
        note.content,
        note.times_sent,
        note.version,
        note.created_at,
        note.updated_at,
        comments,
        NoteRequest(request["key"], request["sha256"]) if request else None,
    )


def _comment_request(document: Document) -> CommentRequest | None:
    request = document.get("idempotency")
    return CommentRequest(request["key"], request["version"]) if request else None


def _document(record: Record) -> Document:
    document = to_document(_note(record))
    if record.idempotency:
        document["idempotency"] = asdict(record.idempotency)
    for held, comment in zip(document["comments"], record.comments, strict=True):
        if comment.idempotency:
            held["idempotency"] = asdict(comment.idempotency)
    return document


def _note(record: Record) -> Note:
    return Note(
        record.id,
        record.content,
        record.times_sent,
        record.version,
        record.created_at,
        record.updated_at,
        [Comment(c.id, c.content, c.created_at) for c in record.comments],
    )
