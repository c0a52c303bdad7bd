"""Records of dumps, read from a collection of MongoDB and stored in it."""

import logging
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from bson.errors import InvalidBSON
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from app.kit.storage.mongodb import Collection, Document, Storage
from app.kit.storage.mongodb_constraints import Session, refer, taken
from app.kit.storage.mongodb_documents import BrokenDocument, Documents
from app.kit.storage.mongodb_types import FIRST_UUID, LAST_UUID

log = logging.getLogger(__name__)

PAGE = 100
DUPLICATE_KEY = 11000
LEFT_OUT = "A document breaks the rules of %s, and is left out: %s"

T = TypeVar("T")


async def dump_documents(
    storage: Storage, source: Collection, records: Documents[T]
) -> AsyncGenerator[list[T], None]:
    """Yield a snapshot of all records in batches, the oldest first."""

    async def page(after: Any, session: AsyncClientSession) -> list[Document]:
        ids: Document = {"_id": {"$gt": after, "$lte": LAST_UUID}}
        order: Document = {"sort": ["_id"], "limit": PAGE, "session": session}
        try:
            return await source.find(ids, **order).to_list()
        except InvalidBSON as error:
            log.warning(LEFT_OUT, source.name, error)
        return await source.find(ids | records.rules, records.fields, **order).to_list()

    async with aclosing(storage.scan(page, FIRST_UUID)) as pages:
        async for documents in pages:
            yield list(_readable(documents, records, source.name))


def _readable(documents: Iterable[Document], records: Documents[T], name: str) -> Iterator[T]:
    for document in documents:
        try:
            yield records.read(document)
        except BrokenDocument as error:
            log.warning(LEFT_OUT, name, error)


async def load_documents(
    storage: Storage, target: Collection, records: Documents[T], given: Sequence[T]
) -> None:
    """Store records; a document with the same id is replaced.

    Raises ``Taken`` or ``InvalidReference`` for one of the records.
    """
    documents = [records.write(record) for record in given]
    writes = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]

    async def write(session: Session) -> None:
        await target.bulk_write(writes, ordered=False, session=session)

    try:
        await refer(storage, records.references, documents, write)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if {each["code"] for each in failed} != {DUPLICATE_KEY}:
            raise
        first = min(each["index"] for each in failed)
        raise await taken(target, documents[first]) from None
