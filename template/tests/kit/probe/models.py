"""What a sample is, and what a client may say about one."""

from dataclasses import dataclass

from app.kit.bodies import Body
from app.kit.fields import Content, Id, Timestamp, Version
from app.kit.ids import new_id, time_of


@dataclass(slots=True)
class Sample:
    """A text that never changes."""

    id: Id
    content: Content
    version: Version
    created_at: Timestamp

    @classmethod
    def new(cls, content: str) -> "Sample":
        """Return a sample made now."""
        made = new_id()
        return cls(made, content, 1, time_of(made))


Record = Sample
"""What a dump has of a sample."""


class NewSample(Body):
    """What a client writes of a sample."""

    content: Content
