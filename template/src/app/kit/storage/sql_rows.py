"""Pages and dumps of the rows of one table, each row a resource."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa

from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_requests import to_request

T = TypeVar("T")


def reader(model: Callable[..., T]) -> Callable[[Iterable[Any]], list[T]]:
    """Return what turns rows of ``selected`` columns into resources."""
    return lambda rows: [model(*each) for each in rows]


async def dump_rows(
    storage: SqlStorage, statement: sa.Select[Any], record: Callable[..., T]
) -> AsyncGenerator[list[T], None]:
    """Yield the records of rows that also have the columns of their request, page by page."""
    async with aclosing(storage.scan(statement)) as pages:
        async for rows in pages:
            yield [record(*(*each[:-2], to_request(*each[-2:]))) for each in rows]


@lru_cache(maxsize=1000)
def filtered(page: sa.Select[Any], names: tuple[str, ...]) -> sa.Select[Any]:
    """Return a page of the rows whose named columns have the values of ``filter_…``."""
    return page.where(*(page.selected_columns[n] == sa.bindparam(f"filter_{n}") for n in names))
