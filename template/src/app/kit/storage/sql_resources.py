"""The resources in a table, read and changed by the statements of their feature."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kit.errors import Conflict, InvalidReference, KeyReused
from app.kit.idempotency import FirstRequest
from app.kit.ids import now
from app.kit.resources import R, Versions, as_first, one, require
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_changes import Change, at_once, new_values
from app.kit.storage.sql_load import Row, load_rows
from app.kit.storage.sql_requests import Requests
from app.kit.storage.sql_tables import THIS_ID, expected_version

TRIES = 3
TAKEN = "A value that must be unique is taken."
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Resources(Generic[R]):
    """The resources of a kind, which is what messages call one of them.

    Their table has ``request_columns``. ``get`` selects what is at ``this_id``, and ``read`` makes
    resources of its rows. ``delete``, as every update, asks for ``this_id`` and ``is_expected``.
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
        self._requests = Requests(table)
        self._referred = {
            column.name: _this_of(key.target_fullname.partition(".")[0])
            for column in table.c
            for key in column.foreign_keys
        }

    async def find(self, statement: sa.Select[Any], **parameters: Any) -> list[R]:
        """Return the resources that a statement selects, in its order."""
        return self._read(await self.storage.fetch(statement, **parameters))

    async def get(self, this_id: UUID, expected: Versions = None) -> R:
        """Return a resource; see ``one`` for what is raised."""
        return one(await self.find(self._get, this_id=this_id), expected, self.kind)

    async def add(
        self, resource: R, request: FirstRequest | None, insert: Callable[[], Awaitable[object]]
    ) -> R:
        """Insert a new resource and return it; under a key that is known, return the first.

        A unique value that another one has raises ``Conflict``.
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
                await self._require_referred(lambda name: getattr(resource, name))
        raise Conflict(TAKEN)

    async def _first(self, resource: R, request: FirstRequest) -> R | None:
        """Return the resource of a key as it was at first, if it is still there."""

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
        """Have the commit wait until what is known of a row is durable, if the row is still there.

        What was read may be of a commit that is not yet on the disk, or not on the standby.
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
        """Change a resource, which has one version more then, and return it.

        What ``values`` has is changed besides what ``change`` does.
        """
        if self._referred.keys() & values.keys():
            await self.get(this_id)
            await self._require_referred(values.get)
        try:
            return await self._change(change, this_id, expected, values)
        except IntegrityError:
            await self._require_referred(values.get)
            raise Conflict(TAKEN) from None

    async def _change(
        self, change: Change, this_id: UUID, expected: Versions, values: Mapping[str, Any]
    ) -> R:
        if self.storage.returns_changes:
            new = {"updated_at": now(), **values}
            given = {"this_id": this_id, **expected_version(expected), **new_values(new)}
            for resource in await self.find(at_once(change, tuple(new)), **given):
                return resource
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
        """Do so in a transaction, until the end of which the resource is locked.

        What ``check`` raises comes before a version that is not expected. The update may meet no
        row though the version is right, if the resource changed at that moment.
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

    async def _require_referred(self, value: Callable[[str], Any]) -> None:
        """Raise ``InvalidReference`` if the value of a field refers to nothing."""
        for name, statement in self._referred.items():
            this_id = value(name)
            if this_id and not await self.storage.fetch(statement, this_id=this_id):
                raise InvalidReference(name)

    async def load(
        self, records: Sequence[Any], *tables: tuple[sa.Column[Any], Sequence[Row]]
    ) -> None:
        """Store the rows of records; see ``load_rows`` for what is raised."""
        try:
            await load_rows(self.storage, [record.id for record in records], *tables)
        except Conflict:
            keys = {r.idempotency.key: r.id for r in records if r.idempotency}
            there = await self.storage.fetch(self._requests.owners, keys=[*keys])
            if any(keys[key] != owner for key, owner in there):
                raise Conflict("An idempotency key is that of another one.") from None
            raise


def _this_of(table: str) -> sa.Select[Any]:
    """Return what selects ``this_id`` from a table of another feature."""
    other = sa.table(table, sa.column("id", sa.Uuid()))
    return sa.select(other.c.id).where(other.c.id == THIS_ID)
