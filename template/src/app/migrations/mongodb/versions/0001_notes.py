"""Notes with their comments.

They need no index but the one of ``_id``: a page is a range of ids, read backwards.
"""

from typing import Any
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)

CONTENT = {"bsonType": "string", "minLength": 1, "maxLength": 255}
COMMENT = {
    "bsonType": "object",
    "required": ["id", "content", "created_at"],
    "properties": {
        "id": {"bsonType": "binData"},
        "content": CONTENT,
        "created_at": {"bsonType": "date"},
    },
}
NOTE = {
    "bsonType": "object",
    "required": [
        "_id",
        "content",
        "times_sent",
        "version",
        "created_at",
        "updated_at",
        "comments",
    ],
    "properties": {
        "_id": {"bsonType": "binData"},
        "content": CONTENT,
        "times_sent": {"bsonType": ["int", "long"], "minimum": 0},
        "version": {"bsonType": ["int", "long"], "minimum": 1},
        "created_at": {"bsonType": "date"},
        "updated_at": {"bsonType": "date"},
        "comments": {"bsonType": "array", "maxItems": 100, "items": COMMENT},
    },
}


async def upgrade(database: AsyncDatabase[dict[str, Any]]) -> None:
    if "notes" not in await database.list_collection_names():
        await database.create_collection("notes")
    await database.command("collMod", "notes", validator={"$jsonSchema": NOTE})
