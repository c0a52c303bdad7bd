"""Notes with their comments.

A page is a range of ids, for which the index of ``_id`` is enough. Another index makes idempotency
keys unique; it has only the notes with a key.
"""

from typing import Any

from bson import Binary
from bson.binary import UUID_SUBTYPE

from app.kit.migrations.mongodb import Database

CONTENT = {"bsonType": "string", "minLength": 1, "maxLength": 255}
KEY = {"bsonType": "string", "minLength": 1, "maxLength": 255}
COMMENT = {
    "bsonType": "object",
    "required": ["id", "content", "created_at"],
    "properties": {
        "id": {"bsonType": "binData"},
        "content": CONTENT,
        "created_at": {"bsonType": "date"},
        "idempotency": {
            "bsonType": "object",
            "required": ["key", "version"],
            "properties": {
                "key": KEY,
                "version": {"bsonType": ["int", "long"], "minimum": 1},
            },
        },
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
        "idempotency": {
            "bsonType": "object",
            "required": ["key", "sha256"],
            "properties": {
                "key": KEY,
                "sha256": {"bsonType": "string", "minLength": 64, "maxLength": 64},
            },
        },
    },
}
FIRST_UUID, LAST_UUID = Binary(bytes(16), UUID_SUBTYPE), Binary(b"\xff" * 16, UUID_SUBTYPE)
NOT_UUID = [{"comments.id": {"$lt": FIRST_UUID}}, {"comments.id": {"$gt": LAST_UUID}}]


RULES: dict[str, Any] = {
    "validator": {"$jsonSchema": NOTE, "$nor": NOT_UUID},
    "validationLevel": "strict",
    "validationAction": "error",
}


async def upgrade(database: Database) -> None:
    if "notes" in await database.list_collection_names():
        await database.command("collMod", "notes", **RULES)
    else:
        await database.create_collection("notes", **RULES)
    await database.notes.create_index("idempotency.key", unique=True, sparse=True)


async def downgrade(database: Database) -> None:
    await database.drop_collection("notes")
