"""A sample to begin with."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from app.kit.errors import Conflict
from tests.kit.probe.models import Sample


async def seed(samples: Any) -> int:
    """Add the sample if it is not there, and return how many were added."""
    sample = Sample.new("seed")
    sample.id = UUID("019b76da-a800-7000-8000-000000000001")
    with suppress(Conflict):
        await samples.add(sample)
        return 1
    return 0
