"""What a note is, and what a client may say about one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.kit.errors import NotFound
from app.kit.fields import Content, Timestamp
from app.kit.ids import new_id, time_of

MAX_COMMENTS = 100
NO_SUCH_NOTE = "There is no such note."


@dataclass(slots=True)
class Comment:
    """A remark on a note."""

    id: UUID
    content: Content
    created_at: Timestamp

    @classmethod
    def new(cls, content: str) -> "Comment":
        """Return a comment made now."""
        made = new_id()
        return cls(id=made, content=content, created_at=time_of(made))


@dataclass(slots=True)
class Note:
    """A note with its comments, oldest first: stored, changed and deleted as a whole.

    ``version`` counts the changes of the note and of its comments, and ``updated_at`` moves
    with it.
    """

    id: UUID
    content: Content
    times_sent: Annotated[int, Field(ge=0)]
    version: Annotated[int, Field(ge=1)]
    created_at: Timestamp
    updated_at: Timestamp
    comments: Annotated[list[Comment], Field(max_length=MAX_COMMENTS)]

    @classmethod
    def new(cls, content: str) -> "Note":
        """Return a note made now, at version 1."""
        made = new_id()
        return cls.first(made, content, time_of(made))

    @classmethod
    def first(cls, note_id: UUID, content: str, time: datetime) -> "Note":
        """Return a note as it was when it was made."""
        return cls(note_id, content, 0, 1, time, time, [])

    def comment(self, comment_id: UUID) -> Comment:
        """Return one of the comments, or raise ``NotFound``."""
        for comment in self.comments:
            if comment.id == comment_id:
                return comment
        raise NotFound("The note has no such comment.")


class NewContent(BaseModel):
    """The text of a note or of a comment."""

    model_config = ConfigDict(extra="forbid")

    content: Content


class NoteChange(BaseModel):
    """What to change in a note; a field left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    content: Content = Field(default_factory=str)  # Empty when left out; nobody can send that.
