"""Values in a SQL table."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kit.sql import SqlStorage, columns, row

TAKEN = IntegrityError


class Values:
    """Keeps the instances of a dataclass that has an id and a unique value."""

    def __init__(self, storage: SqlStorage, name: str, model: type) -> None:
        self.storage, self.model = storage, model
        unique = sa.UniqueConstraint("value")
        self.table = sa.Table(name, sa.MetaData(), *columns(model), unique)

    async def create(self) -> None:
        """Make the table anew."""

        def create(connection: sa.Connection) -> None:
            self.table.drop(connection, checkfirst=True)
            self.table.create(connection)

        await self.storage.migration(create)

    async def add(self, each: Any) -> None:
        """Store an instance."""
        await self.storage.execute(sa.insert(self.table), **row(self.model, each))

    async def in_order(self) -> list[Any]:
        """Return all instances by their values."""
        found = await self.storage.fetch(sa.select(self.table).order_by(self.table.c.value))
        return [self.model(*each) for each in found]

    async def equal(self, value: Any) -> list[Any]:
        """Return the instances that have this value."""
        chosen = sa.select(self.table).where(self.table.c.value == sa.bindparam("value"))
        return [self.model(*each) for each in await self.storage.fetch(chosen, value=value)]
