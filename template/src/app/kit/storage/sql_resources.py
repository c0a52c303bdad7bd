"""The resources in a table, read and changed by the statements of their feature."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kit.errors import Conflict, Taken
from app.kit.idempotency import FirstRequest
from app.kit.ids import now
from app.kit.resources import NOTHING, R, Versions, as_first, one, require
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_constraints import Constraints, Requests
from app.kit.storage.sql_dumps import Row, load_rows
from app.kit.storage.sql_reads import Reads
from app.kit.storage.sql_statements import Change
from app.kit.storage.sql_tables import expected_version

TRIES = 3


class Resources(Reads[R]):
    """The resources in a table, which has ``request_columns``.

    ``delete`` and every update have the conditions ``this_id`` and ``is_expected``.
    """

    def __init__(
        self,
        storage: SqlStorage,
        kind: str,
        table: sa.Table,
        *,
        get: sa.Select[Any],
        delete: sa.Delete,
        read: Callable[[Iterable[Any]], list[R]],
    ) -> None:
        super().__init__(storage, kind, get, read)
        self._delete = delete
        self.requests, self._constraints = Requests(table), Constraints(storage, table)

    async def add(
        self, resource: R, request: FirstRequest | None, insert: Callable[[], Awaitable[object]]
    ) -> R:
        """Insert a new resource and return it; for a known key, return the first resource.

        Raises ``Taken`` if a unique value is.
        """
        for _ in range(TRIES):
            try:
                await insert()
                return resource
            except IntegrityError:
                find = partial(self.requests.first, request=request)
                if first := await self.storage.transact(find):
                    return as_first(resource, *first)
                if await self.find(self._get, this_id=resource.id):
                    raise Conflict("The id is taken.") from None
                values = {each.name: getattr(resource, each.name) for each in fields(resource)}
                await self._constraints.check([values])
        raise Taken

    async def change(
        self,
        change: Change,
        this_id: UUID,
        expected: Versions,
        values: Mapping[str, Any] = NOTHING,
    ) -> R:
        """Change a resource, increment its version, and return it.

        ``values`` are set in addition to what ``change`` does.
        """
        rows = [{"id": this_id, **values}]
        if self._constraints.refer(values):
            await self.get(this_id)
            await self._constraints.require_targets(rows)
        try:
            return await self._change(change, this_id, expected, values)
        except IntegrityError:
            await self._constraints.check(rows)
            raise Taken from None

    async def _change(
        self, change: Change, this_id: UUID, expected: Versions, values: Mapping[str, Any]
    ) -> R:
        this, new = {"this_id": this_id, **expected_version(expected)}, {"updated_at": now()}
        changed, rows = await self.storage.change(change, self._get, this, new | {**values})
        resource = one(self._read(rows), None if changed else expected, self.kind)
        if changed:
            return resource
        # It has changed just now, or has another one of the expected versions.
        return await self.storage.transact(
            lambda connection: self.change_in(connection, change, this_id, expected, values)
        )

    def change_in(
        self,
        connection: sa.Connection,
        change: Change,
        this_id: UUID,
        expected: Versions,
        values: Mapping[str, Any] = NOTHING,
        *,
        check: Callable[[R], object] = lambda _: None,
    ) -> R:
        """Do the same in a transaction, which locks the resource until its end.

        ``check`` runs before the version is compared. What is raised undoes the change.
        """
        this = {"this_id": this_id, **expected_version(None)}
        connection.execute(change.update, {**this, "updated_at": now(), **values})
        found = connection.execute(self._get, {"this_id": this_id}).all()
        check(resource := one(self._read(found), None, self.kind))
        after = None if expected is None else frozenset(version + 1 for version in expected)
        require(resource, after, self.kind)
        return resource

    async def delete(self, this_id: UUID, expected: Versions) -> None:
        """Delete a resource; see ``one`` for what is raised."""
        tried = expected
        try:
            while not await self.storage.execute(
                self._delete, this_id=this_id, **expected_version(tried)
            ):
                found = await self.get(this_id, expected)
                tried = expected and frozenset({found.version})
        except IntegrityError:
            raise Conflict(f"Others refer to the {self.kind}.") from None

    async def load(
        self, records: Sequence[Any], *tables: tuple[sa.Column[Any], Sequence[Row]]
    ) -> None:
        """Store the rows of records, those of the resources first.

        See ``load_rows`` for what is raised; it names the record where a field is the reason.
        """
        try:
            await load_rows(self.storage, [record.id for record in records], *tables)
        except Conflict:
            await self._constraints.check(tables[0][1])
            raise
