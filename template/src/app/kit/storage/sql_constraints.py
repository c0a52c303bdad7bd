"""Why rows cannot be added: their key was used, they refer to nothing, or others have a value."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kit.errors import InvalidReference, KeyReused, Taken
from app.kit.idempotency import FirstRequest
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_tables import THIS_ID

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

    async def check(self, rows: Sequence[Row]) -> None:
        """Raise ``InvalidReference`` or ``Taken`` for the first row that breaks a constraint."""
        await self.require_targets(rows)
        await self._require_free(rows)

    async def require_targets(self, rows: Sequence[Row]) -> None:
        """Raise ``InvalidReference`` for the first row that refers to nothing."""
        targets = await self._ids(self._targets, rows)
        for row in rows:
            lost = [n for n, ids in targets.items() if row.get(n) and row[n] not in ids]
            if lost:
                raise InvalidReference(*lost, of=row["id"])

    async def _require_free(self, rows: Sequence[Row]) -> None:
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


class Requests:
    """The requests that added the rows of a table."""

    def __init__(self, table: sa.Table) -> None:
        key = table.c.idempotency_key
        self._find = sa.select(table.c.id, table.c.content_sha256, table.c.created_at).where(
            key == sa.bindparam("key")
        )
        this = sa.update(table).where(table.c.id == THIS_ID)
        self._change_and_undo = [this.values(version=table.c.version + step) for step in (-1, 1)]

    def first(
        self, connection: sa.Connection, request: FirstRequest | None
    ) -> tuple[UUID, datetime] | None:
        """Return the id and the time of the row that a request with this key added, if it is there.

        Raises ``KeyReused`` if that request was another one.
        """
        if not request:
            return None
        for this_id, sha256, time in connection.execute(self._find, {"key": request.key}).all():
            if sha256 != request.sha256:
                raise KeyReused
            if self.make_durable(connection, this_id):
                return this_id, time
        return None

    def make_durable(self, connection: sa.Connection, this_id: UUID) -> bool:
        """Have the commit wait until a row is durable; return whether it exists.

        A row that was only read may come from a commit that is not yet on disk or on the standby,
        and a commit waits for these only if its transaction wrote something.
        """
        this = {"this_id": this_id}
        return all(connection.execute(each, this).rowcount for each in self._change_and_undo)


def _id_of(table: str) -> sa.ColumnElement[Any]:
    return sa.table(table, sa.column("id", sa.Uuid())).c.id


def _ids_of(
    column: sa.ColumnElement[Any], this_id: sa.ColumnElement[Any] | None = None
) -> sa.Select[Any]:
    """Return what selects given values of a column, each with the id of its row."""
    given = column.in_(sa.bindparam("values", expanding=True))
    return sa.select(column, column if this_id is None else this_id).where(given)
