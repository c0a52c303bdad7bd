"""The tables of notes and comments, and their statements.

Statements are built once, here; each call only binds their parameters.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kit.idempotency import MAX_KEY
from app.kit.sql import (
    LIMIT,
    REQUEST,
    THIS_ID,
    Base,
    Change,
    columns,
    is_expected,
    reader,
    request_columns,
    row,
    selected,
    to_request,
)
from app.notes.models import Comment, CommentRecord, CommentRequest, Note, NoteFields, Record

PAGE = 100
"""Notes in a page of a dump; each has up to a hundred comments, which are rows, too."""

notes = sa.Table("notes", Base.metadata, *columns(NoteFields), *request_columns())
comments = sa.Table(
    "comments",
    Base.metadata,
    sa.Column("note_id", sa.Uuid, sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True),
    *columns(Comment),  # The primary key stores a note's comments together, in order.
    sa.Column("idempotency_key", sa.String(MAX_KEY)),
    sa.Column("note_version", sa.Integer),  # After adding a comment with a key.
    sa.UniqueConstraint("note_id", "idempotency_key"),
)

NOTE, COMMENT = selected(notes, NoteFields), selected(comments, Comment)
COMMENT_REQUEST = comments.c["idempotency_key", "note_version"]


def _with_comments(
    note: sa.FromClause, *more: sa.Column[Any], oldest_first: bool = False
) -> sa.Select[Any]:
    return (
        sa.select(note, *COMMENT, *more)
        .select_from(note.outerjoin(comments, comments.c.note_id == note.c.id))
        .order_by(note.c.id if oldest_first else note.c.id.desc(), comments.c.id)
    )


_THIS = notes.c.id == THIS_ID
_OF_THIS = comments.c.note_id == THIS_ID
_NEWEST = sa.select(*NOTE).order_by(notes.c.id.desc()).limit(LIMIT)
_NEXT = (
    sa.select(*NOTE, *notes.c[REQUEST])
    .where(notes.c.id > sa.bindparam("after"))
    .order_by(notes.c.id)
    .limit(PAGE)
)
_UPDATE = (  # Parameters with names of other columns set these, too.
    sa.update(notes).where(_THIS, is_expected(notes)).values(version=notes.c.version + 1)
)

FIRST_PAGE = _with_comments(_NEWEST.subquery())
NEXT_PAGE = _with_comments(_NEWEST.where(notes.c.id < sa.bindparam("before")).subquery())
GET = _with_comments(sa.select(*NOTE).where(_THIS).subquery())
ADD = sa.insert(notes)
UPDATE = Change(_UPDATE, NOTE, _with_comments)
SEND = Change(_UPDATE.values(times_sent=notes.c.times_sent + 1), NOTE, _with_comments)
DELETE = sa.delete(notes).where(_THIS, is_expected(notes))
DUMP = _with_comments(_NEXT.subquery(), *COMMENT_REQUEST, oldest_first=True)

LOCK = sa.select(notes.c.id).where(_THIS).with_for_update()
ADD_COMMENTS = sa.insert(comments)
DELETE_COMMENT = sa.delete(comments).where(_OF_THIS, comments.c.id == sa.bindparam("comment_id"))
FIRST_COMMENT = sa.select(*COMMENT, comments.c.note_version).where(
    _OF_THIS, comments.c.idempotency_key == sa.bindparam("key")
)


def _record(*values: Any) -> Record:
    *note, key, sha256, comments = values
    return Record(*(*note, comments, to_request(key, sha256)))


def _comment_record(*values: Any) -> CommentRecord:
    *comment, key, version = values
    return CommentRecord(*(*comment, CommentRequest(key, version) if key else None))


to_notes = reader(Note, Comment, len(NOTE))
to_records = reader(_record, _comment_record, len(NOTE) + len(REQUEST))


def comment_row(
    note_id: UUID, comment: Comment, request: CommentRequest | None = None
) -> dict[str, Any]:
    """Return the row of a comment."""
    key, version = (request.key, request.version) if request else (None, None)
    more = {"note_id": note_id, "idempotency_key": key, "note_version": version}
    return row(Comment, comment) | more
