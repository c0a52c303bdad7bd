"""Resources read from rows."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from app.kit.resources import NOTHING, R, Versions, one
from app.kit.storage.sql import SqlStorage

T = TypeVar("T")


def reader(
    make: Callable[..., T], make_part: Callable[..., Any] | None = None, width: int = 0
) -> Callable[[Iterable[Any]], list[T]]:
    """Return what turns rows into resources: ``make`` gets the values of a row.

    With ``make_part``, a row has one part of a resource after the first ``width`` values, or nulls.
    Then ``make`` also gets the list of the parts. Rows of one resource follow each other.
    """
    if not make_part:
        return lambda rows: [make(*each) for each in rows]

    def read(rows: Iterable[Any]) -> list[T]:
        found: list[T] = []
        parts: list[Any] = []
        last = None
        for each in rows:
            if each[0] != last:
                last, parts = each[0], []
                found.append(make(*each[:width], parts))
            if each[width] is not None:
                parts.append(make_part(*each[width:]))
        return found

    return read


class Reads(Generic[R]):
    """The resources in a table; ``kind`` is their name in messages.

    ``get`` selects the rows of ``this_id``; ``read`` turns rows into resources.
    """

    def __init__(
        self,
        storage: SqlStorage,
        kind: str,
        get: sa.Select[Any],
        read: Callable[[Iterable[Any]], list[R]],
    ) -> None:
        self.storage, self.kind = storage, kind
        self._get, self._read = get, read

    async def find(self, statement: sa.Select[Any], **parameters: Any) -> list[R]:
        """Return the resources that a statement selects, in its order."""
        return self._read(await self.storage.fetch(statement, **parameters))

    async def page(
        self,
        first: sa.Select[Any],
        following: sa.Select[Any],
        limit: int,
        before: UUID | None,
        filters: Mapping[str, Any] = NOTHING,
    ) -> list[R]:
        """Return what ``first`` selects, or ``following`` after the id ``before``.

        The resources have the values of ``filters``.
        """
        parameters = {f"filter_{name}": value for name, value in filters.items()}
        if before:
            parameters["before"] = before
        page = _filtered(following if before else first, tuple(filters))
        return await self.find(page, limit=limit, **parameters)

    async def get(self, this_id: UUID, expected: Versions = None) -> R:
        """Return a resource; see ``one`` for what is raised."""
        return one(await self.find(self._get, this_id=this_id), expected, self.kind)


@lru_cache(maxsize=1000)
def _filtered(page: sa.Select[Any], names: tuple[str, ...]) -> sa.Select[Any]:
    return page.where(*(page.selected_columns[n] == sa.bindparam(f"filter_{n}") for n in names))
