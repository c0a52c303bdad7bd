"""Samples in a MongoDB collection."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from uuid import UUID

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from app.kit.errors import Conflict, NotFound
from app.kit.storage.mongodb import Document, Storage
from app.kit.storage.operations import operation
from tests.kit.probe.models import Sample


async def create(storage: Storage) -> None:
    """Make the collection."""
    await storage.database.create_collection("probe")


class Repository:
    """Keeps samples in MongoDB."""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.samples = storage, storage.database["probe"]

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Sample]:
        older = {"_id": {"$lt": before}} if before else {}
        found = await self.storage.find(self.samples, older, sort={"_id": -1}, limit=limit)
        return [Sample(*document.values()) for document in found]

    @operation
    async def get(self, sample_id: UUID) -> Sample:
        if document := await self.samples.find_one({"_id": sample_id}):
            return Sample(*document.values())
        raise NotFound("There is no such sample.")

    @operation
    async def add(self, sample: Sample) -> None:
        try:
            await self.samples.insert_one(_document(sample))
        except DuplicateKeyError:
            raise Conflict("The id is taken.") from None

    @operation
    async def clear(self) -> None:
        await self.samples.delete_many({})

    async def dump(self) -> AsyncGenerator[Sequence[Sample], None]:
        async with aclosing(self.storage.scan(self._page, UUID(int=0))) as pages:
            async for documents in pages:
                yield [Sample(*document.values()) for document in documents]

    @operation
    async def load(self, records: Sequence[Sample]) -> None:
        writes = [ReplaceOne({"_id": r.id}, _document(r), upsert=True) for r in records]
        await self.samples.bulk_write(writes)

    async def _page(self, after: UUID, session: AsyncClientSession) -> list[Document]:
        newer = {"_id": {"$gt": after}}
        return await self.samples.find(newer, sort=["_id"], limit=100, session=session).to_list()


def _document(sample: Sample) -> Document:
    document = asdict(sample)
    return {"_id": document.pop("id")} | document
