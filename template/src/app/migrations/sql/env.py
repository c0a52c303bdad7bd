"""What Alembic runs for each of its commands."""

import asyncio
from importlib import import_module
from typing import Any

from alembic import context
from sqlalchemy import Connection

from app.features import FEATURES
from app.settings import load_settings
from app.storage import open_storage
from app.storage.sql import Base

for feature in FEATURES:
    import_module(f"app.{feature}.sql")


def run(connection: Connection) -> None:
    """Run the command's revisions on a connection that is in a transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        user_module_prefix="sa.",
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on_database() -> None:
    async with open_storage(load_settings()) as storage:
        sql: Any = storage
        async with sql.migrating() as connection:
            await connection.run_sync(run)


if connection := context.config.attributes.get("connection"):
    run(connection)
else:
    asyncio.run(run_on_database())
