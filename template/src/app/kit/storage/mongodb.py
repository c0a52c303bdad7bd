"""MongoDB through PyMongo."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConnectionFailure, DuplicateKeyError, OperationFailure

from app.kit.errors import Conflict
from app.kit.migrations import mongodb as migrations
from app.kit.settings import ServiceSettings
from app.kit.storage import mongodb_errors, mongodb_url, operations
from app.kit.storage.faults import BROKEN, Fault, require_version, unavailable
from app.kit.storage.operations import OPERATION_SECONDS, Pool

Document = dict[str, Any]
Collection = AsyncCollection[Document]
Collections = set[tuple[Any, ...]]
Snapshot = tuple[AsyncClientSession, Collections]
"""A session that reads from one snapshot, and the collections that were there then."""

T = TypeVar("T")


class Reference(NamedTuple):
    """A field of a collection whose values are ids of another one, ``target``."""

    collection: str
    field: str
    target: str


class Storage(operations.Storage):
    """An open MongoDB database.

    The URL cannot change its guarantees. A write is acknowledged once a majority of the members
    has it in the journal, so a failover does not lose it. Reads go to the primary, which has every
    acknowledged write. They may also see a write that is not acknowledged yet. Read concern
    "majority" would hide such a write, but right after an election acknowledged writes, too;
    "linearizable" costs a round trip to the other members.
    """

    system = module = "mongodb"
    fault = staticmethod(mongodb_errors.fault)

    def __init__(self, settings: ServiceSettings) -> None:
        self.client = mongodb_url.client(settings)
        self.database = self.client.get_default_database()
        self._size = settings.database_pool_size
        self._migrated = False
        self.references: list[Reference] = []
        # The pool is not FIFO; waiters could starve.
        self._slots = asyncio.Semaphore(settings.database_pool_size)

    def pool(self) -> Pool:
        used = min(self.in_flight, self._size)
        return Pool(self._size, used, self.in_flight - used)

    async def find(
        self, source: Collection, chosen: Document, *, sort: Document, limit: int
    ) -> list[Document]:
        """Return up to ``limit`` documents by one command, which costs less than a cursor.

        The cursor is the fallback: PyMongo then retries, and fetches what did not fit into the
        first answer.
        """
        command = {
            "find": source.name,
            "filter": chosen,
            "sort": sort,
            "limit": limit,
            "batchSize": limit + 1,  # With ``limit`` alone, the cursor may stay open.
            "readConcern": source.read_concern.document,
        }
        with suppress(ConnectionFailure, OperationFailure):
            reply = await self.database.command(command, codec_options=source.codec_options)
            if not reply["cursor"]["id"]:
                found: list[Document] = reply["cursor"]["firstBatch"]
                return found
        return await source.find(chosen, sort=sort, limit=limit).to_list()

    async def in_transaction(self, work: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        """Return what ``work`` returns; it happens as a whole or not at all, and may run twice."""
        async with self.client.start_session() as session:
            return await session.with_transaction(work)

    async def scan(
        self, read: Callable[[Any, AsyncClientSession], Awaitable[list[Document]]], first: Any
    ) -> AsyncGenerator[list[Document], None]:
        """Yield the documents of all pages of a snapshot; no page is empty.

        ``read`` returns the page after an ``_id``, which is ``first`` at the beginning.
        """
        after = first
        async with self.snapshot() as (session, there):
            while page := await self.bounded(partial(read, after, session)):
                yield page
                after = page[-1]["_id"]
            if not there <= await self.bounded(self._collections):  # It would seem empty.
                raise unavailable(Fault.SNAPSHOT_EXPIRED, "A collection was dropped meanwhile.")

    @asynccontextmanager
    async def new_snapshot(self) -> AsyncIterator[Snapshot]:
        async with self.client.start_session(snapshot=True) as session:
            yield session, await self.bounded(self._collections)

    async def _collections(self) -> Collections:
        found = await self.database.list_collections()
        return {(each["name"], each["info"].get("uuid")) async for each in found}

    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        # The driver has the timeout, and sends it to the server. Cancelling its calls from outside
        # takes longer, and sometimes leaves a pool that never recovers.
        with self.translate_errors(), pymongo.timeout(OPERATION_SECONDS):
            async with self._slots:
                if not self._migrated:  # Else a write could create a collection without rules.
                    await self._require_schema(or_newer=True)
                    self._migrated = True
                return await work()

    async def check(self, *, or_newer: bool = False) -> None:
        await self.bounded(lambda: self._require_schema(or_newer=or_newer))

    async def _require_schema(self, *, or_newer: bool) -> None:
        known, applied = migrations.revisions(), await migrations.applied(self.database)
        missing, unknown = sorted(known - applied), sorted(applied - known)
        if missing or (unknown and not or_newer):
            raise unavailable(Fault.SCHEMA, f"Missing: {missing}. Unknown: {unknown}.")

    async def migrate(self) -> None:
        with self.translate_errors():
            server = await self.client.server_info()
            require_version(server["versionArray"][:3], (5, 0))  # It has snapshot reads.
            try:
                await migrations.upgrade(self.database)
            except DuplicateKeyError as error:
                names = (error.details or {}).get("keyPattern", {})
                raise Conflict(BROKEN.format(", ".join(names) or "an index")) from None

    async def close(self) -> None:
        with pymongo.timeout(OPERATION_SECONDS):
            await self.client.close()
