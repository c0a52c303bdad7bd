"""The resources in a table, read and changed by the statements of their feature."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Generic
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kit.errors import Conflict, KeyReused, Taken
from app.kit.idempotency import FirstRequest
from app.kit.ids import now
from app.kit.resources import NOTHING, R, Versions, as_first, one, require
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_constraints import Constraints
from app.kit.storage.sql_load import Row, load_rows
from app.kit.storage.sql_requests import Requests
from app.kit.storage.sql_rows import filtered
from app.kit.storage.sql_statements import Change
from app.kit.storage.sql_tables import expected_version

TRIES = 3


class Resources(Generic[R]):
    """The resources in a table; ``kind`` is their name in messages.

    The table has ``request_columns``. ``get`` selects the rows of ``this_id``; ``read`` turns rows
    into resources. ``delete`` and every update have the conditions ``this_id`` and ``is_expected``.
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
        self.storage, self.kind = storage, kind
        self._get, self._delete, self._read = get, delete, read
        self._requests, self._constraints = Requests(table), Constraints(storage, table)

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
        if before is None:
            return await self.find(filtered(first, tuple(filters)), limit=limit, **parameters)
        statement = filtered(following, tuple(filters))
        return await self.find(statement, limit=limit, before=before, **parameters)

    async def get(self, this_id: UUID, expected: Versions = None) -> R:
        """Return a resource; see ``one`` for what is raised."""
        return one(await self.find(self._get, this_id=this_id), expected, self.kind)

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
                if request and (first := await self._first(resource, request)):
                    return first
                if await self.find(self._get, this_id=resource.id):
                    raise Conflict("The id is taken.") from None
                values = {each.name: getattr(resource, each.name) for each in fields(resource)}
                await self._constraints.require_targets([values])
                await self._constraints.require_free([values])
        raise Taken

    async def _first(self, resource: R, request: FirstRequest) -> R | None:
        """Return the resource that a key created, in its first state, if it still exists."""

        def find(connection: sa.Connection) -> R | None:
            found = connection.execute(self._requests.find, {"key": request.key}).all()
            for first_id, sha256, time in found:
                if sha256 != request.sha256:
                    raise KeyReused
                if self.make_durable(connection, first_id):
                    return as_first(resource, first_id, time)
            return None

        return await self.storage.transact(find)

    def make_durable(self, connection: sa.Connection, this_id: UUID) -> bool:
        """Write a row, so that the commit waits until it is durable; return whether it exists.

        A row that was only read may come from a commit that is not yet on disk or on the standby.
        """
        this = {"this_id": this_id}
        return all(
            connection.execute(statement, this).rowcount
            for statement in self._requests.change_and_undo
        )

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
            await self._constraints.require_targets(rows)
            await self._constraints.require_free(rows)
            raise Taken from None

    async def _change(
        self, change: Change, this_id: UUID, expected: Versions, values: Mapping[str, Any]
    ) -> R:
        new, tried = {"updated_at": now(), **values}, expected
        while True:
            this = {"this_id": this_id, **expected_version(tried)}
            changed, rows = await self.storage.change(change, self._get, this, new)
            resource = one(self._read(rows), None, self.kind)
            if changed:
                return resource
            require(resource, expected, self.kind)  # Else it has changed just now.
            tried = expected and frozenset({resource.version})

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

        ``check`` runs before the version is compared. If the resource changes at that moment, the
        update may match no row though the version is right; then it is tried again.
        """
        this, given, tried = {"this_id": this_id}, {"updated_at": now(), **values}, expected
        while True:
            changes = this | given | expected_version(tried)
            changed = connection.execute(change.update, changes).rowcount
            found = connection.execute(self._get, this).all()
            check(resource := one(self._read(found), None, self.kind))
            if changed:
                return resource
            require(resource, expected, self.kind)
            tried = expected and frozenset({resource.version})

    async def delete(self, this_id: UUID, expected: Versions) -> None:
        """Delete a resource; see ``one`` for what is raised."""
        try:
            await self._delete_version(this_id, expected)
        except IntegrityError:
            raise Conflict(f"Others refer to the {self.kind}.") from None

    async def _delete_version(self, this_id: UUID, expected: Versions) -> None:
        tried = expected
        while not await self.storage.execute(
            self._delete, this_id=this_id, **expected_version(tried)
        ):
            found = await self.get(this_id, expected)
            tried = expected and frozenset({found.version})

    async def load(
        self, records: Sequence[Any], *tables: tuple[sa.Column[Any], Sequence[Row]]
    ) -> None:
        """Store the rows of records, those of the resources first.

        See ``load_rows`` for what is raised; it names the record where a field is the reason.
        """
        try:
            await load_rows(self.storage, [record.id for record in records], *tables)
        except Conflict:
            (_, rows), *_ = tables
            await self._constraints.require_targets(rows)
            await self._constraints.require_free(rows)
            raise
