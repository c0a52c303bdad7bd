"""Notes as rows of two tables, one of them for comments, and the statements about them.

Statements are built once, here, and only given their parameters on each call.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.fields import MAX_CONTENT
from app.kit.idempotency import MAX_KEY, digest
from app.kit.storage.sql import Base
from app.notes.models import Comment, Note


class NoteRow(Base):
    """A note, and what its first request was if that had a key."""

    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(sa.String(MAX_CONTENT))
    times_sent: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(MAX_KEY), unique=True)
    content_sha256: Mapped[str | None] = mapped_column(sa.String(64))


class CommentRow(Base):
    """A comment; the primary key keeps a note's comments together and in their order.

    ``note_version`` is what the note's became with a comment that has an idempotency key.
    """

    __tablename__ = "comments"
    __table_args__ = (sa.UniqueConstraint("note_id", "idempotency_key"),)

    note_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(sa.String(MAX_CONTENT))
    created_at: Mapped[datetime]
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(MAX_KEY))
    note_version: Mapped[int | None]


notes = Base.metadata.tables[NoteRow.__tablename__]
comments = Base.metadata.tables[CommentRow.__tablename__]

NOTE = (
    notes.c.id,
    notes.c.content,
    notes.c.times_sent,
    notes.c.version,
    notes.c.created_at,
    notes.c.updated_at,
)
COMMENT = (comments.c.id, comments.c.content, comments.c.created_at)


def _with_comments(chosen: sa.Select[Any]) -> sa.Select[Any]:
    note = chosen.subquery("note")
    return (
        sa.select(note, *COMMENT)
        .select_from(note.outerjoin(comments, comments.c.note_id == note.c.id))
        .order_by(note.c.id.desc(), comments.c.id)
    )


_NEWEST = (
    sa.select(*NOTE).order_by(notes.c.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))
)
_THIS_NOTE = notes.c.id == sa.bindparam("note_id")
_OF_THIS_NOTE = comments.c.note_id == sa.bindparam("note_id")
_EXPECTED = sa.or_(
    sa.bindparam("any_version", type_=sa.Boolean),
    notes.c.version.in_(sa.bindparam("versions", expanding=True)),
)
_CHANGE = sa.update(notes).where(_THIS_NOTE, _EXPECTED)
_CHANGED = {"version": notes.c.version + 1, "updated_at": sa.bindparam("now")}

FIRST_PAGE = _with_comments(_NEWEST)
NEXT_PAGE = _with_comments(_NEWEST.where(notes.c.id < sa.bindparam("before")))
GET = _with_comments(sa.select(*NOTE).where(_THIS_NOTE))
LOCK = sa.select(notes.c.id).where(_THIS_NOTE).with_for_update()
ADD = sa.insert(notes)
UPDATE_CONTENT = _CHANGE.values(_CHANGED | {"content": sa.bindparam("new_content")})
SEND = _CHANGE.values(_CHANGED | {"times_sent": notes.c.times_sent + 1})
TOUCH = _CHANGE.values(_CHANGED)
DELETE = sa.delete(notes).where(_THIS_NOTE, _EXPECTED)
ADD_COMMENTS = sa.insert(comments)
DELETE_COMMENT = sa.delete(comments).where(
    _OF_THIS_NOTE, comments.c.id == sa.bindparam("comment_id")
)
CHANGE_AND_UNDO = [
    sa.update(notes).where(_THIS_NOTE).values(version=notes.c.version + step) for step in (-1, 1)
]
"""A commit waits for the disk and for standbys only if its transaction has changed something."""

FIRST = sa.select(notes.c.id, notes.c.content_sha256, notes.c.created_at).where(
    notes.c.idempotency_key == sa.bindparam("key")
)
FIRST_COMMENT = sa.select(*COMMENT, comments.c.note_version).where(
    _OF_THIS_NOTE, comments.c.idempotency_key == sa.bindparam("key")
)


def note_row(note: Note, key: str | None = None) -> dict[str, Any]:
    """Return the row of a new note."""
    row = {
        "id": note.id,
        "content": note.content,
        "times_sent": note.times_sent,
        "version": note.version,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
    }
    if key:
        row |= {"idempotency_key": key, "content_sha256": digest(note.content)}
    return row


def comment_row(note_id: UUID, comment: Comment, **more: Any) -> dict[str, Any]:
    """Return the row of a comment."""
    return {
        "note_id": note_id,
        "id": comment.id,
        "content": comment.content,
        "created_at": comment.created_at,
        **more,
    }


def to_notes(rows: Iterable[Any]) -> list[Note]:
    """Fold rows of a note beside one of its comments, in their order, into notes."""
    found: list[Note] = []
    for note_id, content, sent, version, created, updated, comment_id, text, time in rows:
        if not found or found[-1].id != note_id:
            found.append(Note(note_id, content, sent, version, created, updated, []))
        if comment_id is not None:
            found[-1].comments.append(Comment(comment_id, text, time))
    return found
