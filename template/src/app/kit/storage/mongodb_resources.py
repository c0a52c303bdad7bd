"""The resources in a collection of MongoDB, each a document.

A document that breaks the rules, as older code or another program may have written it, is no
resource: no page has it, asking for it raises ``NotFound``, no command changes it, and the log
names it.
"""

import logging
from contextlib import suppress
from typing import Generic
from uuid import UUID

from bson.errors import InvalidBSON
from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.kit.errors import Conflict, KeyReused
from app.kit.idempotency import FirstRequest
from app.kit.ids import now
from app.kit.resources import R, Versions, as_first, one
from app.kit.storage.mongodb import Collection, Document, Storage
from app.kit.storage.mongodb_documents import FIRST_UUID, LAST_UUID, BrokenDocument, Documents

log = logging.getLogger(__name__)

TRIES = 3
NEWEST_FIRST = {"_id": DESCENDING}
NOTHING = {"$setOnInsert": {"version": 0}}
"""An update that changes nothing; as a write, it waits until what it finds is durable."""


class Resources(Generic[R]):
    """The resources of a kind, each of which is changed by one command with all conditions in it.

    ``kind`` is what messages call one of them.
    """

    def __init__(
        self, storage: Storage, collection: Collection, kind: str, documents: Documents[R]
    ) -> None:
        self.storage, self.collection = storage, collection
        self.kind, self.documents = kind, documents

    async def page(self, limit: int, before: UUID | None) -> list[R]:
        """Return up to ``limit`` resources, newest first, all older than the id ``before``."""
        end = {"$lt": before} if before else {"$lte": LAST_UUID}
        return await self.find({"_id": {"$gte": FIRST_UUID, **end}}, limit)

    async def find(self, chosen: Document, limit: int) -> list[R]:
        """Return up to ``limit`` of the chosen resources, newest first.

        MongoDB is asked to look at the rules only once a document was met that breaks them.
        """
        storage, read = self.storage, self.documents.read
        try:
            found = await storage.find(self.collection, chosen, sort=NEWEST_FIRST, limit=limit)
            return [read(document) for document in found]
        except (InvalidBSON, BrokenDocument) as error:
            log.warning("A document breaks the rules of %s: %s", self.collection.name, error)
        rules, fields = self.documents.rules, self.documents.fields
        ruled = self.collection.find(chosen | rules, fields, sort=NEWEST_FIRST, limit=limit)
        kept = []
        for document in await ruled.to_list():
            with suppress(BrokenDocument):
                kept.append(read(document))
        return kept

    async def get(self, resource_id: UUID, expected: Versions = None) -> R:
        """Return a resource; see ``one`` for what is raised."""
        return one(await self.find({"_id": resource_id}, 1), expected, self.kind)

    async def add(self, resource: R, request: FirstRequest | None = None) -> R:
        """Insert a new resource and return it; under a key that is known, return the first.

        A unique value that another one has raises ``Conflict``.
        """
        document = self.documents.write(resource)
        if request:
            document["idempotency"] = {"key": request.key, "sha256": request.sha256}
        for _ in range(TRIES):
            try:
                await self.collection.insert_one(document)
                return resource
            except DuplicateKeyError:
                if request and (first := await self._first(resource, request)):
                    return first
                if await self.collection.find_one({"_id": resource.id}, {"_id": 1}):
                    raise Conflict("The id is taken.") from None
        raise Conflict("A value that must be unique is taken.")

    async def _first(self, resource: R, request: FirstRequest) -> R | None:
        """Return the resource of a key as it was at first, if it is still there."""
        fields = {"idempotency": 1, "created_at": 1}
        found = await self.find_and_update({"idempotency.key": request.key}, NOTHING, fields)
        if not found:
            return None
        if found["idempotency"]["sha256"] != request.sha256:
            raise KeyReused
        return as_first(resource, found["_id"], found["created_at"])

    async def change(self, resource_id: UUID, expected: Versions, update: Document) -> R:
        """Change a resource, which has one version more then, and return it.

        If the command finds none, a second one finds out why; if it finds no reason, the resource
        has changed in between: once more.
        """
        chosen = self.chosen(resource_id, expected)
        fields = self.documents.fields
        while not (document := await self.find_and_update(chosen, counted(update), fields)):
            await self.get(resource_id, expected)
        return self.documents.read(document)

    async def delete(self, resource_id: UUID, expected: Versions) -> None:
        """Delete a resource; see ``one`` for what is raised."""
        chosen = self.chosen(resource_id, expected)
        while not (await self.collection.delete_one(chosen)).deleted_count:
            await self.get(resource_id, expected)

    def chosen(self, resource_id: UUID, expected: Versions) -> Document:
        """Return the filter that finds a document if it keeps the rules and has such a version."""
        version = {} if expected is None else {"version": {"$in": list(expected)}}
        return {"_id": resource_id, **version, **self.documents.rules}

    async def find_and_update(
        self, chosen: Document, update: Document, fields: Document
    ) -> Document | None:
        """Change one document, and return some fields as they are then."""
        after = ReturnDocument.AFTER
        return await self.collection.find_one_and_update(
            chosen, update, fields, return_document=after
        )


def counted(update: Document) -> Document:
    """Return the update that counts a change as well."""
    return {
        **update,
        "$inc": {**update.get("$inc", {}), "version": 1},
        "$set": {**update.get("$set", {}), "updated_at": now()},
    }
