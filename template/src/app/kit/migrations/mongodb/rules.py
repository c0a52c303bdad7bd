"""The rules of a collection of resources, for revisions.

Revisions call this again whenever a new database is made, so what it does must not change.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import Binary
from bson.binary import UUID_SUBTYPE
from pymongo.errors import OperationFailure

from app.kit.migrations.mongodb import Database

NO_SUCH_INDEX = 27

KEY = {"bsonType": "string", "minLength": 1, "maxLength": 255}
SHA256 = {"bsonType": "string", "minLength": 64, "maxLength": 64}
ID = {"_id": {"bsonType": "binData"}}
OWN = {
    "version": {"bsonType": ["int", "long"], "minimum": 1},
    "created_at": {"bsonType": "date"},
    "updated_at": {"bsonType": "date"},
}
REQUEST = {
    "bsonType": "object",
    "required": ["key", "sha256"],
    "properties": {"key": KEY, "sha256": SHA256},
}
OUTSIDE = (
    {"$lt": Binary(bytes(16), UUID_SUBTYPE)},
    {"$gt": Binary(b"\xff" * 16, UUID_SUBTYPE)},
)
"""What is binary, and no UUID."""


async def set_rules(
    database: Database, name: str, fields: Mapping[str, Any], uuids: Sequence[str] = ()
) -> None:
    """Have each document of a collection keep the rules of its fields; it is made if need be.

    Documents that are there are not checked. ``uuids`` are the fields of that type.
    """
    required = ID | {**fields} | OWN
    properties = required | {"idempotency": REQUEST}
    schema = {"bsonType": "object", "required": [*required], "properties": properties}
    validator: dict[str, Any] = {"$jsonSchema": schema}
    if uuids:
        validator["$nor"] = [{name: outside} for name in uuids for outside in OUTSIDE]
    rules: dict[str, Any] = {
        "validator": validator,
        "validationLevel": "strict",
        "validationAction": "error",
    }
    if name in await database.list_collection_names():
        await database.command("collMod", name, **rules)
    else:
        await database.create_collection(name, **rules)


async def drop_index(database: Database, name: str, index: str) -> None:
    """Drop an index of a collection; one that is gone was dropped before an interruption."""
    try:
        await database[name].drop_index(index)
    except OperationFailure as error:
        if error.code != NO_SUCH_INDEX:
            raise
