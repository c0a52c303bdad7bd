"""Make the collection."""

from app.kit.migrations.mongodb import Database


async def upgrade(database: Database) -> None:
    if "probe" not in await database.list_collection_names():
        await database.create_collection("probe")
