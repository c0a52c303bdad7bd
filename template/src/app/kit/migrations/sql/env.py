"""What Alembic runs for each of its commands."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection

from app.kit.features import FEATURES
from app.kit.settings import ServiceSettings, read_settings
from app.kit.storage import open_storage
from app.kit.storage.sql_tables import Base

for feature in FEATURES:
    if feature.has("sql"):
        feature.load("sql")


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
    async with open_storage(read_settings(ServiceSettings)) as storage:
        sql: Any = storage
        await sql.migration(run)


if connection := context.config.attributes.get("connection"):
    run(connection)
else:
    asyncio.run(run_on_database())
