"""Notes and comments, the bodies of their requests, and their records in dumps.

This is the one description of notes: tables, documents, rules and dumps are derived from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.kit import fields
from app.kit.bodies import LEFT_OUT, Body, Change
from app.kit.errors import Conflict, NotFound
from app.kit.idempotency import FirstRequest, Key, Recorded
from app.kit.ids import new_id, time_of
from app.kit.resources import made_now

MAX_COMMENTS = 100
FULL = f"The note has {MAX_COMMENTS} comments already."


class NewContent(Body):
    """The text of a note or of a comment."""

    content: fields.Content


NewNote = NewContent


class NoteChange(Change):
    """What to change in a note; a field that is left out keeps its value."""

    content: fields.Content = LEFT_OUT


@dataclass(slots=True)
class Comment:
    """A comment on a note."""

    id: fields.Id
    content: fields.Content
    created_at: fields.Timestamp

    @classmethod
    def new(cls, content: str) -> "Comment":
        """Return a comment made now."""
        made = new_id()
        return cls(id=made, content=content, created_at=time_of(made))


@dataclass(slots=True)
class NoteFields:
    """The fields of a note itself, in their order."""

    id: fields.Id
    content: fields.Content
    times_sent: fields.Count
    version: fields.Version
    created_at: fields.Timestamp
    updated_at: fields.Timestamp


@dataclass(slots=True)
class Note(NoteFields):
    """A note with its comments, oldest first: stored, changed and deleted as a whole.

    ``version`` counts the changes of the note and of its comments, and ``updated_at`` moves
    with it.
    """

    comments: Annotated[list[Comment], Field(max_length=MAX_COMMENTS)]

    @classmethod
    def new(cls, body: NewNote) -> "Note":
        """Return a note made now, at version 1."""
        return cls(times_sent=0, comments=[], **made_now(), **body.values())

    def require_room(self) -> None:
        """Raise ``Conflict`` if the note has the maximum of comments."""
        if len(self.comments) >= MAX_COMMENTS:
            raise Conflict(FULL)

    def comment(self, comment_id: UUID) -> Comment:
        """Return one of the comments, or raise ``NotFound``."""
        for comment in self.comments:
            if comment.id == comment_id:
                return comment
        raise NotFound("The note has no such comment.")


@dataclass(slots=True)
class CommentRequest:
    """The request that added a comment: its key, and the note's version after it."""

    key: Key
    version: fields.Version


@dataclass(slots=True)
class CommentRecord(Comment):
    """A comment in a dump, with its idempotency key."""

    idempotency: Recorded[CommentRequest] = None


def _in_order(comments: Sequence[CommentRecord]) -> Sequence[CommentRecord]:
    if any(older.id >= newer.id for older, newer in pairwise(comments)):
        raise PydanticCustomError("order", "The ids do not ascend")
    keys = [comment.idempotency.key for comment in comments if comment.idempotency]
    if len(keys) != len(set(keys)):
        raise PydanticCustomError("keys", "Two comments have the same idempotency key")
    return comments


@dataclass(slots=True)
class Record(NoteFields):
    """A note in a dump, with the idempotency keys of its requests."""

    comments: Annotated[
        list[CommentRecord], Field(max_length=MAX_COMMENTS), AfterValidator(_in_order)
    ]
    idempotency: Recorded[FirstRequest] = None
