"""What a sample is, and what a client may say about one."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.kit.fields import Content, Timestamp
from app.kit.ids import new_id, time_of


@dataclass(slots=True)
class Sample:
    """A text that never changes."""

    id: UUID
    content: Content
    version: Annotated[int, Field(ge=1)]
    created_at: Timestamp

    @classmethod
    def new(cls, content: str) -> "Sample":
        """Return a sample made now."""
        made = new_id()
        return cls(made, content, 1, time_of(made))


class NewSample(BaseModel):
    """What a client writes of a sample."""

    model_config = ConfigDict(extra="forbid")

    content: Content
