"""Revisions of the MongoDB database; part of the package, so that a wheel has them.

A revision is a module in ``versions``, named by its number and what it does, as in
``0002_colours.py``, with ``async def upgrade(database)``. Each is applied once, in the order of
their numbers. One with ``async def downgrade(database)`` can be undone. One that was interrupted is
not rolled back; it is run again from its beginning, so it must be idempotent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules
from typing import Any
from uuid import uuid4

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from app.kit import SERVICE, SERVICE_FOLDER
from app.kit.errors import Conflict, Unavailable
from app.kit.migrations import all_known

VERSIONS = SERVICE_FOLDER / "migrations" / "mongodb" / "versions"
PACKAGE = f"{SERVICE}.migrations.mongodb.versions"

LEASE_SECONDS = 10
"""How long the lock of a killed process is valid."""

RENEWAL_SECONDS = 2
POLL_SECONDS = 0.1

Database = AsyncDatabase[dict[str, Any]]
Collection = AsyncCollection[dict[str, Any]]

THIS = {"_id": "revisions"}
"""The one document of the collection ``migrations``: the applied revisions, and the lock."""


@cache
def revisions() -> frozenset[str]:
    """Return the names of the revisions that this code knows."""
    return frozenset(m.name for m in iter_modules([str(VERSIONS)]))


async def applied(database: Database) -> set[str]:
    """Return the names of the revisions that the database has."""
    state = await database.migrations.find_one(THIS) or {}
    return set(state.get("applied", ()))


async def upgrade(database: Database) -> None:
    """Apply the revisions that are missing; one process at a time does.

    Raises ``Conflict`` if two have the same number.
    """
    _require_distinct_numbers()
    owner = uuid4().hex
    async with _locked(database.migrations, owner):
        all_known(await applied(database), revisions())
        for name in sorted(revisions()):
            if name not in await applied(database):
                await import_module(f"{PACKAGE}.{name}").upgrade(database)
                await _record(database.migrations, owner, name)


def _require_distinct_numbers() -> None:
    """Raise ``Conflict`` if two revisions claim the same place, as those of two branches do."""
    for one, other in pairwise(sorted(revisions())):
        if one.partition("_")[0] == other.partition("_")[0]:
            reason = "rename the one that no database has yet, so that it comes last"
            raise Conflict(f"Revisions {one} and {other} have the same number: {reason}.")


async def downgrade(database: Database) -> None:
    """Undo the newest revision that the database has, by its ``downgrade``."""
    owner = uuid4().hex
    async with _locked(database.migrations, owner):
        name = max(await applied(database))
        await import_module(f"{PACKAGE}.{name}").downgrade(database)
        await _record(database.migrations, owner, name, "$pull")


async def add_field(database: Database, collection: str, name: str, rule: dict[str, Any]) -> None:
    """Have a collection's validator ask for ``rule`` where a document has the field."""
    (found,) = await (await database.list_collections(filter={"name": collection})).to_list()
    validator = found["options"]["validator"]
    validator["$jsonSchema"]["properties"][name] = rule
    await database.command("collMod", collection, validator=validator)


async def _record(state: Collection, owner: str, name: str, operator: str = "$addToSet") -> None:
    mine = {**THIS, "owner": owner}
    if not (await state.update_one(mine, {operator: {"applied": name}})).matched_count:
        raise Unavailable("The lock of this migration expired, and another one has begun.")


@asynccontextmanager
async def _locked(state: Collection, owner: str) -> AsyncIterator[None]:
    while True:
        if await _take(state, owner):
            break
        await asyncio.sleep(POLL_SECONDS)
    done = asyncio.Event()
    keeper = asyncio.create_task(_keep(state, owner, done))
    try:
        yield
    finally:
        done.set()
        await keeper
        with suppress(PyMongoError):
            await state.update_one({**THIS, "owner": owner}, {"$unset": {"owner": "", "until": ""}})


async def _take(state: Collection, owner: str) -> bool:
    """Take the lock if it is free or its lease is over, by the server's clock."""
    free = {"$lte": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}
    taken = {
        "owner": {"$cond": [free, owner, "$owner"]},
        "until": {"$cond": [free, _lease_end(), "$until"]},
    }
    after = ReturnDocument.AFTER
    found: Any = await state.find_one_and_update(
        THIS, [{"$set": taken}], upsert=True, return_document=after
    )
    return bool(found["owner"] == owner)


async def _keep(state: Collection, owner: str, done: asyncio.Event) -> None:
    while not done.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), RENEWAL_SECONDS)
        with suppress(PyMongoError):
            mine = {**THIS, "owner": owner}
            await state.update_one(mine, [{"$set": {"until": _lease_end()}}])


def _lease_end() -> dict[str, Any]:
    return {"$add": ["$$NOW", LEASE_SECONDS * 1000]}
