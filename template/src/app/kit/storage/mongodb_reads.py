"""Resources read from the documents of a collection.

A document that breaks the rules, written by older code or another program, is not a resource: it is
on no page, reading it raises ``NotFound``, no command changes it, and the log names it.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Generic
from uuid import UUID

from bson.errors import InvalidBSON
from pymongo import DESCENDING

from app.kit.resources import NOTHING, R, Versions, one
from app.kit.storage.mongodb import Collection, Document, Storage
from app.kit.storage.mongodb_documents import BrokenDocument, Documents
from app.kit.storage.mongodb_types import FIRST_UUID, LAST_UUID

log = logging.getLogger(__name__)

NEWEST_FIRST = {"_id": DESCENDING}


class Reads(Generic[R]):
    """The resources in a collection; ``kind`` is their name in messages."""

    def __init__(
        self, storage: Storage, collection: Collection, kind: str, documents: Documents[R]
    ) -> None:
        self.storage, self.collection = storage, collection
        self.kind, self.documents = kind, documents

    async def page(
        self, limit: int, before: UUID | None, filters: Mapping[str, Any] = NOTHING
    ) -> list[R]:
        """Return up to ``limit`` resources, newest first, all older than the id ``before``.

        They have the values of ``filters``.
        """
        end = {"$lt": before} if before else {"$lte": LAST_UUID}
        ids = {"_id": {"$gte": FIRST_UUID, **end}}
        return await self.find(self.documents.values(filters) | ids, limit)

    async def find(self, chosen: Document, limit: int) -> list[R]:
        """Return up to ``limit`` of the chosen resources, newest first.

        The query has the rules only if a document was found that breaks them.
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
