"""The resources in a collection of MongoDB, each a document, read and changed."""

from uuid import UUID

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.kit.errors import Conflict, InvalidReference, KeyReused, Taken
from app.kit.idempotency import FirstRequest
from app.kit.ids import now
from app.kit.resources import R, Versions, as_first
from app.kit.storage.mongodb import Collection, Document, Reference, Storage
from app.kit.storage.mongodb_constraints import Session, refer, taken
from app.kit.storage.mongodb_documents import Documents
from app.kit.storage.mongodb_reads import Reads

TRIES = 3
NOTHING = {"$setOnInsert": {"version": 0}}
"""An update that changes nothing; as a write, it waits until the document is durable."""


class Resources(Reads[R]):
    """The resources in a collection; one command with all conditions changes one."""

    def __init__(
        self, storage: Storage, collection: Collection, kind: str, documents: Documents[R]
    ) -> None:
        super().__init__(storage, collection, kind, documents)
        for field, target in documents.references.items():
            storage.references.append(Reference(collection.name, field, target))

    async def add(self, resource: R, request: FirstRequest | None = None) -> R:
        """Insert a new resource and return it; for a known key, return the first resource.

        Raises ``Taken`` if a unique value is.
        """
        values = self.documents.write(resource)
        known = {"key": request.key, "sha256": request.sha256} if request else None
        document = values | ({"idempotency": known} if known else {})

        async def insert(session: Session) -> None:
            await self.collection.insert_one(document, session=session)

        for _ in range(TRIES):
            try:
                await refer(self.storage, self.documents.references, [document], insert)
                return resource
            except DuplicateKeyError:
                if request and (first := await self._first(resource, request)):
                    return first
                if await self.collection.find_one({"_id": resource.id}, {"_id": 1}):
                    raise Conflict("The id is taken.") from None
                if (error := await taken(self.collection, values)).fields:
                    raise error from None
        raise Taken

    async def _first(self, resource: R, request: FirstRequest) -> R | None:
        """Return the resource that a key created, in its first state, if it still exists."""
        fields = {"idempotency": 1, "created_at": 1}
        found = await self.find_and_update({"idempotency.key": request.key}, NOTHING, fields)
        if not found:
            return None
        if found["idempotency"]["sha256"] != request.sha256:
            raise KeyReused
        return as_first(resource, found["_id"], found["created_at"])

    async def change(self, resource_id: UUID, expected: Versions, update: Document) -> R:
        """Change a resource, increment its version, and return it.

        If the command finds none, a second one finds the reason; without a reason, the resource
        has changed in between, and the command is repeated.
        """
        chosen, fields = self.chosen(resource_id, expected), self.documents.fields
        references, given = self.documents.references, update.get("$set", {})
        changed = {"_id": resource_id} | {n: given[n] for n in fields if n in given}

        async def write(session: Session) -> Document | None:
            return await self.find_and_update(chosen, counted(update), fields, session)

        try:
            while not (document := await refer(self.storage, references, [changed], write)):
                await self.get(resource_id, expected)
        except InvalidReference:
            await self.get(resource_id)  # What is missing is missing, whatever was sent to it.
            raise
        except DuplicateKeyError:
            raise await taken(self.collection, changed) from None
        return self.documents.read(document)

    async def delete(self, resource_id: UUID, expected: Versions) -> None:
        """Delete a resource; see ``one`` for what is raised."""
        chosen = self.chosen(resource_id, expected)
        referring = [r for r in self.storage.references if r.target == self.collection.name]

        async def delete(session: Session) -> int:
            deleted = (await self.collection.delete_one(chosen, session=session)).deleted_count
            for collection, field, _ in referring if deleted else ():
                others = self.storage.database[collection]
                if await others.find_one({field: resource_id}, {"_id": 1}, session=session):
                    raise Conflict(f"Others refer to the {self.kind}.")
            return deleted

        while not await (self.storage.in_transaction(delete) if referring else delete(None)):
            await self.get(resource_id, expected)

    def chosen(self, resource_id: UUID, expected: Versions) -> Document:
        """Return the filter for a document that keeps the rules and has an expected version."""
        version = {} if expected is None else {"version": {"$in": list(expected)}}
        return {"_id": resource_id, **version, **self.documents.rules}

    async def find_and_update(
        self, chosen: Document, update: Document, fields: Document, session: Session = None
    ) -> Document | None:
        """Change one document, and return some of its new fields."""
        after = ReturnDocument.AFTER
        return await self.collection.find_one_and_update(
            chosen, update, fields, return_document=after, session=session
        )


def counted(update: Document) -> Document:
    """Return the update with a new version and ``updated_at``."""
    return {
        **update,
        "$inc": {**update.get("$inc", {}), "version": 1},
        "$set": {**update.get("$set", {}), "updated_at": now()},
    }
