"""Which values break the constraints of a table: they refer to nothing, or others have them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.kit.errors import InvalidReference, Taken
from app.kit.storage.sql import SqlStorage

FIELDS = {"idempotency_key": "idempotency.key"}
"""The fields of columns that have other names."""

Row = Mapping[str, Any]
Ids = dict[Any, Any]
"""Which id has a value."""


class Constraints:
    """The references and the unique values of a table.

    Databases name one of the constraints that a row breaks, each another one. So the values of rows
    are compared with what is there. A row has its ``id``, and any of the other columns.
    """

    def __init__(self, storage: SqlStorage, table: sa.Table) -> None:
        self._storage = storage
        self._targets = {
            column.name: _ids_of(_id_of(key.target_fullname.partition(".")[0]))
            for column in table.c
            for key in column.foreign_keys
        }
        unique = [
            each.columns for each in table.constraints if isinstance(each, sa.UniqueConstraint)
        ]
        alone = {column for columns in unique if len(columns) == 1 for column in columns}
        self._unique = {c.name: _ids_of(c, table.c.id) for c in table.c if c in alone}

    def refer(self, names: Collection[str]) -> bool:
        """Return whether one of the columns refers to something."""
        return not self._targets.keys().isdisjoint(names)

    async def require_targets(self, rows: Sequence[Row]) -> None:
        """Raise ``InvalidReference`` for the first row that refers to nothing."""
        targets = await self._ids(self._targets, rows)
        for row in rows:
            lost = [n for n, ids in targets.items() if row.get(n) and row[n] not in ids]
            if lost:
                raise InvalidReference(*lost, of=row["id"])

    async def require_free(self, rows: Sequence[Row]) -> None:
        """Raise ``Taken`` for the first row with a unique value of another one, there or before."""
        owners = await self._ids(self._unique, rows)
        for row in rows:
            given = {n: row[n] for n in owners if row.get(n) is not None}
            owned = {n: owners[n].setdefault(value, row["id"]) for n, value in given.items()}
            if taken := [FIELDS.get(n, n) for n, owner in owned.items() if owner != row["id"]]:
                raise Taken(*taken, of=row["id"])

    async def _ids(
        self, statements: Mapping[str, sa.Select[Any]], rows: Sequence[Row]
    ) -> dict[str, Ids]:
        found: dict[str, Ids] = {}
        for name, statement in statements.items():
            values = [row[name] for row in rows if row.get(name) is not None]
            pairs = await self._storage.fetch(statement, values=values) if values else ()
            found[name] = dict(pairs)
        return found


def _id_of(table: str) -> sa.ColumnElement[Any]:
    return sa.table(table, sa.column("id", sa.Uuid())).c.id


def _ids_of(
    column: sa.ColumnElement[Any], this_id: sa.ColumnElement[Any] | None = None
) -> sa.Select[Any]:
    """Return what selects given values of a column, each with the id of its row."""
    given = column.in_(sa.bindparam("values", expanding=True))
    return sa.select(column, column if this_id is None else this_id).where(given)
