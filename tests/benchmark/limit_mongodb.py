"""The limit on MongoDB: the commands of PyMongo."""

import os
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from limit import Found, Limit
from pymongo import DESCENDING, AsyncMongoClient

NOTE = itemgetter("_id", "content", "times_sent", "version", "created_at", "updated_at")
COMMENT = itemgetter("id", "content", "created_at")


class MongoDB(Limit):
    """Returns each document unchanged."""

    async def open(self) -> None:
        url = os.environ["DATABASE_URL"]
        self.client = AsyncMongoClient[dict[str, Any]](url, uuidRepresentation="standard")
        self.notes = self.client.get_default_database()["notes"]

    async def close(self) -> None:
        await self.client.close()

    async def find_page(self, limit: int, before: UUID | None) -> list[Found]:
        older = {"_id": {"$lt": before}} if before else {}
        cursor = self.notes.find(older, sort=[("_id", DESCENDING)], limit=limit)
        return [values(document) for document in await cursor.to_list()]

    async def find(self, note_id: UUID) -> list[Found]:
        document = await self.notes.find_one({"_id": note_id})
        return [values(document)] if document else []

    async def add(self, note_id: UUID, content: str, time: datetime) -> None:
        times = {"created_at": time, "updated_at": time}
        note = {"_id": note_id, "content": content, "times_sent": 0, "version": 1, **times}
        await self.notes.insert_one({**note, "comments": []})


def values(document: dict[str, Any]) -> Found:
    """Return the values that a document has."""
    return NOTE(document), map(COMMENT, document["comments"])


app = MongoDB().app()
