"""Notes in two tables, one of them for comments.

Statements are built once, here, and only given their parameters on each call.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.errors import Conflict, NotFound, PreconditionFailed
from app.identity import now
from app.notes.models import MAX_COMMENTS, MAX_CONTENT, NO_SUCH_NOTE, Comment, Note
from app.notes.repository import NoteRepository, Versions
from app.storage.operations import operation
from app.storage.sql import Base, SqlStorage


class NoteRow(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(sa.String(MAX_CONTENT))
    times_sent: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CommentRow(Base):
    """A comment; the key keeps a note's comments together and in their order."""

    __tablename__ = "comments"

    note_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(sa.String(MAX_CONTENT))
    created_at: Mapped[datetime]


notes = Base.metadata.tables[NoteRow.__tablename__]
comments = Base.metadata.tables[CommentRow.__tablename__]


def _with_comments(chosen: sa.Select[Any]) -> sa.Select[Any]:
    note = chosen.subquery("note")
    return (
        sa.select(note, comments.c.id, comments.c.content, comments.c.created_at)
        .select_from(note.outerjoin(comments, comments.c.note_id == note.c.id))
        .order_by(note.c.id.desc(), comments.c.id)
    )


_NEWEST = (
    sa.select(notes).order_by(notes.c.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))
)
_THIS_NOTE = notes.c.id == sa.bindparam("note_id")
_EXPECTED = sa.or_(
    sa.bindparam("any_version", type_=sa.Boolean),
    notes.c.version.in_(sa.bindparam("versions", expanding=True)),
)
_CHANGE = sa.update(notes).where(_THIS_NOTE, _EXPECTED)
_CHANGED = {"version": notes.c.version + 1, "updated_at": sa.bindparam("now")}

FIRST_PAGE = _with_comments(_NEWEST)
NEXT_PAGE = _with_comments(_NEWEST.where(notes.c.id < sa.bindparam("before")))
GET = _with_comments(sa.select(notes).where(_THIS_NOTE))
ADD = sa.insert(notes)
REWRITE = _CHANGE.values(_CHANGED | {"content": sa.bindparam("new_content")})
SEND = _CHANGE.values(_CHANGED | {"times_sent": notes.c.times_sent + 1})
TOUCH = _CHANGE.values(_CHANGED)
DELETE = sa.delete(notes).where(_THIS_NOTE, _EXPECTED)
ADD_COMMENTS = sa.insert(comments)
DELETE_COMMENT = sa.delete(comments).where(
    comments.c.note_id == sa.bindparam("note_id"), comments.c.id == sa.bindparam("comment_id")
)


CHANGED = "The note has changed."


class Repository(NoteRepository):
    """Keeps notes in a SQL database."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        if before is None:
            return _notes(await self.storage.fetch(FIRST_PAGE, limit=limit))
        return _notes(await self.storage.fetch(NEXT_PAGE, limit=limit, before=before))

    @operation
    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        note = _one(await self.storage.fetch(GET, note_id=note_id))
        if expected is not None and note.version not in expected:
            raise PreconditionFailed(CHANGED)
        return note

    @operation
    async def add(self, note: Note) -> None:
        try:
            if not note.comments:
                await self.storage.execute(ADD, **_note_row(note))
                return
            async with self.storage.transaction() as transaction:
                await transaction.execute(ADD, _note_row(note))
                await transaction.execute(ADD_COMMENTS, _comment_rows(note.id, note.comments))
        except IntegrityError:
            raise Conflict("The id is taken.") from None

    @operation
    async def rewrite(self, note_id: UUID, content: str, *, expected: Versions = None) -> Note:
        async with self.storage.transaction() as transaction:
            return await _change(transaction, REWRITE, note_id, expected, new_content=content)

    @operation
    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        async with self.storage.transaction() as transaction:
            return await _change(transaction, SEND, note_id, expected)

    @operation
    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        if not await self.storage.execute(DELETE, note_id=note_id, **_versions(expected)):
            _one(await self.storage.fetch(GET, note_id=note_id))
            raise PreconditionFailed(CHANGED)

    @operation
    async def add_comment(
        self, note_id: UUID, comment: Comment, *, expected: Versions = None
    ) -> int:
        async with self.storage.transaction() as transaction:
            note = await _change(transaction, TOUCH, note_id, expected)
            if len(note.comments) >= MAX_COMMENTS:
                raise Conflict(f"The note has {MAX_COMMENTS} comments already.")
            await transaction.execute(ADD_COMMENTS, _comment_rows(note_id, [comment]))
            return note.version

    @operation
    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        async with self.storage.transaction() as transaction:
            note = await _change(transaction, TOUCH, note_id, expected, comment_id)
            note.comment(comment_id)
            ids = {"note_id": note_id, "comment_id": comment_id}
            await transaction.execute(DELETE_COMMENT, ids)


async def _change(
    transaction: AsyncConnection,
    statement: sa.Update,
    note_id: UUID,
    expected: Versions,
    comment_id: UUID | None = None,
    **values: Any,
) -> Note:
    """Change a note, which locks it until the transaction ends, and return it as it is then."""
    parameters = {"note_id": note_id, "now": now(), **_versions(expected), **values}
    changed = (await transaction.execute(statement, parameters)).rowcount
    note = _one((await transaction.execute(GET, {"note_id": note_id})).all())
    if not changed:
        if comment_id:
            note.comment(comment_id)
        raise PreconditionFailed(CHANGED)
    return note


def _versions(expected: Versions) -> dict[str, Any]:
    return {"any_version": expected is None, "versions": list(expected or ())}


def _note_row(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "content": note.content,
        "times_sent": note.times_sent,
        "version": note.version,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
    }


def _comment_rows(note_id: UUID, added: Iterable[Comment]) -> list[dict[str, Any]]:
    return [
        {"note_id": note_id, "id": c.id, "content": c.content, "created_at": c.created_at}
        for c in added
    ]


def _one(rows: Iterable[Any]) -> Note:
    for note in _notes(rows):
        return note
    raise NotFound(NO_SUCH_NOTE)


def _notes(rows: Iterable[Any]) -> list[Note]:
    """Fold rows of a note beside one of its comments, in their order, into notes."""
    found: list[Note] = []
    for note_id, content, sent, version, created, updated, comment_id, text, time in rows:
        if not found or found[-1].id != note_id:
            remarks: list[Comment] = []
            found.append(Note(note_id, content, sent, version, created, updated, remarks))
        if comment_id is not None:
            remarks.append(Comment(comment_id, text, time))
    return found
