"""Resources in memory: the promises of every repository, without a database."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic
from uuid import UUID

from pydantic import BaseModel

from app.kit.errors import Conflict, KeyReused, Taken
from app.kit.idempotency import first_request
from app.kit.ids import now
from app.kit.resources import NOTHING, R, Versions, one


class MemoryResources(Generic[R]):
    """Keeps resources in a dictionary; ``body`` is what a client writes of one."""

    kind: ClassVar[str]
    body: ClassVar[type[BaseModel]]
    unique: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._kept: dict[UUID, R] = {}
        self._first: dict[str, R] = {}

    async def latest(
        self, *, limit: int, before: UUID | None = None, filters: Mapping[str, Any] = NOTHING
    ) -> list[R]:
        """Return a page, newest first."""
        found = [
            self._kept[i] for i in sorted(self._kept, reverse=True) if not before or i < before
        ]
        return [r for r in found if all(getattr(r, n) == v for n, v in filters.items())][:limit]

    async def get(self, this_id: UUID, *, expected: Versions = None) -> R:
        """Return one resource."""
        return one(filter(None, [self._kept.get(this_id)]), expected, self.kind)

    async def add(self, resource: R, *, key: str | None = None) -> R:
        """Add a resource, or return the one that the key added."""
        if first := self._first.get(key or ""):
            if first_request(key, self.body, first) != first_request(key, self.body, resource):
                raise KeyReused
            return first
        if resource.id in self._kept:
            raise Conflict("The id is taken.")
        self._kept[resource.id] = self._allowed(resource)
        if key:
            self._first[key] = resource
        return resource

    async def update(
        self, this_id: UUID, values: Mapping[str, Any], *, expected: Versions = None
    ) -> R:
        """Set some fields to new values."""
        old = await self.get(this_id, expected=expected)
        more = {"version": old.version + 1, "updated_at": now()}
        self._kept[this_id] = self._allowed(replace(old, **values, **more))
        return self._kept[this_id]

    async def delete(self, this_id: UUID, *, expected: Versions = None) -> None:
        """Delete a resource, and forget the key that added it."""
        await self.get(this_id, expected=expected)
        del self._kept[this_id]
        self._first = {key: first for key, first in self._first.items() if first.id != this_id}

    def _allowed(self, resource: R) -> R:
        others = [each for each in self._kept.values() if each.id != resource.id]
        taken = [
            name
            for name in self.unique
            if (value := getattr(resource, name)) is not None
            and value in [getattr(each, name) for each in others]
        ]
        if taken:
            raise Taken(*taken, of=resource.id)
        return resource
