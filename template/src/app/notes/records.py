"""A note as dumps have it: whole, with what the idempotency keys of its requests need.

The rules are those of the models, and stricter where that lets every database keep it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import UUID7, AfterValidator, Field, with_config
from pydantic_core import PydanticCustomError

from app.kit.dump import STRICT, Count, Time, Version
from app.kit.fields import Content
from app.kit.idempotency import Key
from app.notes.models import MAX_COMMENTS


@with_config(STRICT)
@dataclass(slots=True)
class NoteRequest:
    """The request that added a note: its key, and the digest of its content."""

    key: Key
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@with_config(STRICT)
@dataclass(slots=True)
class CommentRequest:
    """The request that added a comment: its key, and the note's version after it."""

    key: Key
    version: Version


@with_config(STRICT)
@dataclass(slots=True)
class CommentRecord:
    """A comment."""

    id: UUID7
    content: Content
    created_at: Time
    idempotency: CommentRequest | None = None


def _in_order(comments: Sequence[CommentRecord]) -> Sequence[CommentRecord]:
    if any(older.id >= newer.id for older, newer in pairwise(comments)):
        raise PydanticCustomError("order", "The ids do not ascend")
    keys = [comment.idempotency.key for comment in comments if comment.idempotency]
    if len(keys) != len(set(keys)):
        raise PydanticCustomError("keys", "Two comments have the same idempotency key")
    return comments


@with_config(STRICT)
@dataclass(slots=True)
class Record:
    """A note with its comments, oldest first."""

    id: UUID7
    content: Content
    times_sent: Count
    version: Version
    created_at: Time
    updated_at: Time
    comments: Annotated[
        list[CommentRecord], Field(max_length=MAX_COMMENTS), AfterValidator(_in_order)
    ]
    idempotency: NoteRequest | None = None
