"""What the repository of a feature promises to its routes, on every database."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from app.kit.resources import NOTHING, R, Versions


class ResourceRepository(Protocol[R]):
    """Stores resources.

    Each method happens entirely or not at all, and is durable when it returns. One that does not
    exist raises ``NotFound``; one whose version is not ``expected``, ``PreconditionFailed``; a
    database out of reach, ``Unavailable``. A unique value of another one raises ``Taken``; a
    reference to nothing, ``InvalidReference``. Both name all such fields.
    """

    async def latest(
        self, *, limit: int, before: UUID | None = None, filters: Mapping[str, Any] = NOTHING
    ) -> list[R]:
        """Return up to ``limit`` resources, newest first, all older than the id ``before``.

        They have the values of ``filters``.
        """
        ...

    async def get(self, this_id: UUID, /, *, expected: Versions = None) -> R:
        """Return one resource."""
        ...

    async def add(self, resource: R, /, *, key: str | None = None) -> R:
        """Store a new resource, or return the one that was added under this key.

        An id already taken raises ``Conflict``, the key of another request ``KeyReused``.
        """
        ...

    async def update(
        self, this_id: UUID, values: Mapping[str, Any], /, *, expected: Versions = None
    ) -> R:
        """Set some fields of a resource to new values, and return it."""
        ...

    async def delete(self, this_id: UUID, /, *, expected: Versions = None) -> None:
        """Delete a resource; one that others refer to raises ``Conflict``."""
        ...
