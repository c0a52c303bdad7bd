"""Samples in a SQL table."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kit.errors import Conflict, NotFound
from app.kit.storage.operations import operation
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_dumps import load_rows
from app.kit.storage.sql_tables import columns
from tests.kit.probe.models import Sample

TABLES = sa.MetaData()
samples = sa.Table(
    "probe",
    TABLES,
    *columns(Sample),
)
NEXT = sa.select(samples).where(samples.c.id > sa.bindparam("after")).order_by(samples.c.id)


async def create(storage: SqlStorage) -> None:
    """Make the table."""
    await storage.migration(TABLES.create_all)


class Repository:
    """Keeps samples in a SQL database."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Sample]:
        newest = sa.select(samples).order_by(samples.c.id.desc()).limit(limit)
        found = newest.where(samples.c.id < before) if before else newest
        return [Sample(*row) for row in await self.storage.fetch(found)]

    @operation
    async def get(self, sample_id: UUID) -> Sample:
        for row in await self.storage.fetch(sa.select(samples).where(samples.c.id == sample_id)):
            return Sample(*row)
        raise NotFound("There is no such sample.")

    @operation
    async def add(self, sample: Sample) -> None:
        try:
            await self.storage.execute(sa.insert(samples), **asdict(sample))
        except IntegrityError:
            raise Conflict("The id is taken.") from None

    @operation
    async def clear(self) -> None:
        await self.storage.execute(sa.delete(samples))

    async def dump(self) -> AsyncGenerator[Sequence[Sample], None]:
        async with aclosing(self.storage.scan(NEXT.limit(100))) as pages:
            async for rows in pages:
                yield [Sample(*row) for row in rows]

    @operation
    async def load(self, records: Sequence[Sample]) -> None:
        rows = [asdict(record) for record in records]
        await load_rows(self.storage, [row["id"] for row in rows], (samples.c.id, rows))
