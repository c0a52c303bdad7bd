"""Work on a SQL database: plain functions of a connection."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
Run = Callable[[Work[Any]], Awaitable[Any]]


def beginning(engine: sa.Engine, *statements: str) -> sa.Engine:
    """Return the engine with statements that begin each transaction."""
    changed = engine.execution_options()

    @sa.event.listens_for(changed, "begin")
    def begin(connection: sa.Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    return changed
