"""A sample as dumps have it."""

from dataclasses import dataclass

from pydantic import UUID7, with_config

from app.kit.dump.fields import STRICT, Time, Version
from app.kit.fields import Content


@with_config(STRICT)
@dataclass(slots=True)
class Record:
    """A sample."""

    id: UUID7
    content: Content
    version: Version
    created_at: Time
