"""The limit on MongoDB: the commands of PyMongo."""

import os
from operator import itemgetter
from typing import Any

from limit import Found, Limit
from pymongo import DESCENDING, AsyncMongoClient, ReturnDocument

NAMES = ("_id", "content", "times_sent", "version", "created_at", "updated_at")
NOTE, COMMENT = itemgetter(*NAMES), itemgetter("id", "content", "created_at")


class MongoDB(Limit):
    """Returns each document unchanged."""

    async def open(self) -> None:
        url = os.environ["DATABASE_URL"]
        self.client = AsyncMongoClient[dict[str, Any]](url, uuidRepresentation="standard")
        self.notes = self.client.get_default_database()["notes"]

    async def close(self) -> None:
        await self.client.close()

    async def find_page(self, limit: int, before: Any) -> list[Found]:
        older = {"_id": {"$lt": before}} if before else {}
        cursor = self.notes.find(older, sort=[("_id", DESCENDING)], limit=limit)
        return [values(document) for document in await cursor.to_list()]

    async def find(self, note_id: Any) -> list[Found]:
        document = await self.notes.find_one({"_id": note_id})
        return [values(document)] if document else []

    async def add(self, note: tuple[Any, ...]) -> object:
        return await self.notes.insert_one({**dict(zip(NAMES, note, strict=True)), "comments": []})

    async def change(self, note_id: Any, content: str, time: Any) -> list[Found]:
        update = {"$set": {"content": content, "updated_at": time}, "$inc": {"version": 1}}
        after = ReturnDocument.AFTER
        document = await self.notes.find_one_and_update(
            {"_id": note_id}, update, return_document=after
        )
        return [values(document)] if document else []


def values(document: dict[str, Any]) -> Found:
    """Return the values that a document has."""
    return NOTE(document), map(COMMENT, document["comments"])


app = MongoDB().app()
