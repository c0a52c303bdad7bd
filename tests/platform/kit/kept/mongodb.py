"""Values in a MongoDB collection."""

from typing import Any

from pymongo.errors import DuplicateKeyError

from app.kit.mongodb import Documents, Storage

TAKEN = DuplicateKeyError


class Values:
    """Keeps the instances of a dataclass that has an id and a unique value."""

    def __init__(self, storage: Storage, name: str, model: type) -> None:
        self.documents: Documents[Any] = Documents(model)
        self.collection = storage.database[name]

    async def create(self) -> None:
        """Make the collection anew."""
        await self.collection.drop()
        database, rules = self.collection.database, self.documents.rules
        await database.create_collection(self.collection.name, validator=rules)
        await self.collection.create_index("value", unique=True)

    async def add(self, each: Any) -> None:
        """Store an instance."""
        await self.collection.insert_one(self.documents.write(each))

    async def in_order(self) -> list[Any]:
        """Return all instances by their values."""
        found = await self.collection.find(sort=["value"]).to_list()
        return [self.documents.read(document) for document in found]

    async def equal(self, value: Any) -> list[Any]:
        """Return the instances that have this value."""
        found = await self.collection.find(self.documents.values({"value": value})).to_list()
        return [self.documents.read(document) for document in found]
