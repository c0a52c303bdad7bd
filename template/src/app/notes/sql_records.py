"""Notes dumped from SQL and loaded into it, with what their idempotency keys need."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kit.errors import Conflict
from app.kit.storage import operation
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_load import load_rows
from app.notes.records import CommentRecord, CommentRequest, NoteRequest, Record
from app.notes.sql_rows import COMMENT, NOTE, comments, notes

PAGE = 100
"""Notes, each with up to a hundred comments, which are rows as well."""

_NEXT = (
    sa.select(*NOTE, notes.c.idempotency_key, notes.c.content_sha256)
    .where(notes.c.id > sa.bindparam("after"))
    .order_by(notes.c.id)
    .limit(PAGE)
    .subquery("note")
)
NEXT_PAGE = (
    sa.select(_NEXT, *COMMENT, comments.c.idempotency_key, comments.c.note_version)
    .select_from(_NEXT.outerjoin(comments, comments.c.note_id == _NEXT.c.id))
    .order_by(_NEXT.c.id, comments.c.id)
)
OWNERS = sa.select(notes.c.idempotency_key, notes.c.id).where(
    notes.c.idempotency_key.in_(sa.bindparam("keys", expanding=True))
)


class Records:
    """The part of a repository that dumps and loads."""

    storage: SqlStorage

    async def dump(self) -> AsyncGenerator[Sequence[Record], None]:
        """Yield all notes, oldest first and some at a time, as they were at one moment."""
        async with aclosing(self.storage.scan(NEXT_PAGE)) as pages:
            async for rows in pages:
                yield _records(rows)

    @operation
    async def load(self, records: Sequence[Record]) -> None:
        """Store notes, each in the place of the one of its id, if there is one.

        An idempotency key that another note has raises ``Conflict``.
        """
        ids = [record.id for record in records]
        comment_rows = [_comment_row(r.id, comment) for r in records for comment in r.comments]
        try:
            await load_rows(
                self.storage,
                ids,
                (notes.c.id, [_note_row(record) for record in records]),
                (comments.c.note_id, comment_rows),
            )
        except Conflict:
            await self._refuse_taken_keys(records)
            raise

    async def _refuse_taken_keys(self, records: Sequence[Record]) -> None:
        owners = [(r.idempotency.key, r.id) for r in records if r.idempotency]
        there = await self.storage.fetch(OWNERS, keys=[key for key, _ in owners])
        wanted = dict(owners)
        if len(wanted) < len(owners) or any(wanted[key] != note_id for key, note_id in there):
            raise Conflict("An idempotency key is that of another note.")


def _note_row(record: Record) -> dict[str, Any]:
    request = record.idempotency
    return {
        "id": record.id,
        "content": record.content,
        "times_sent": record.times_sent,
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "idempotency_key": request and request.key,
        "content_sha256": request and request.sha256,
    }


def _comment_row(note_id: UUID, record: CommentRecord) -> dict[str, Any]:
    request = record.idempotency
    return {
        "note_id": note_id,
        "id": record.id,
        "content": record.content,
        "created_at": record.created_at,
        "idempotency_key": request and request.key,
        "note_version": request and request.version,
    }


def _records(rows: Iterable[Any]) -> list[Record]:
    """Fold rows of a note beside one of its comments, in their order, into records."""
    found: list[Record] = []
    for row in rows:
        if not found or found[-1].id != row[0]:
            note_id, content, sent, version, created, updated, key, sha256 = row[:8]
            request = NoteRequest(key, sha256) if key else None
            found.append(Record(note_id, content, sent, version, created, updated, [], request))
        comment_id, content, created, key, version = row[8:]
        if comment_id is not None:
            origin = CommentRequest(key, version) if key else None
            found[-1].comments.append(CommentRecord(comment_id, content, created, origin))
    return found
