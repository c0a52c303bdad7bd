"""Alembic runs this for each of its commands."""

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from app.kit.features import FEATURES
from app.kit.migrations.sql.autogenerate import is_ours, put_in_order
from app.kit.settings import ServiceSettings, read_settings
from app.kit.storage import open_storage
from app.kit.storage.sql_tables import Ascii, Base

for feature in FEATURES:
    if feature.has("sql"):
        feature.load("sql")


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Return the text of a type of the kit's for a revision."""
    if not isinstance(item, Ascii):
        return False
    context.imports.add("from app.kit.sql import Ascii")
    return f"Ascii(length={item.length})"


def run(connection: Connection) -> None:
    """Run the command's revisions on a connection that is in a transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        user_module_prefix="sa.",
        render_item=render_item,
        include_object=is_ours,
        process_revision_directives=put_in_order,
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
