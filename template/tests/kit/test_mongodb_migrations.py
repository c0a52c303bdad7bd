"""Revisions of a MongoDB database."""

from collections.abc import AsyncIterator
from copy import deepcopy
from importlib import import_module

import pytest

from app.kit.features import FEATURES
from app.kit.migrations import mongodb as migrations
from app.kit.storage import open_storage
from app.kit.storage.mongodb import Storage
from app.kit.storage.mongodb_documents import Documents
from app.settings import Settings


@pytest.fixture
async def empty(empty_database: Settings) -> AsyncIterator[Storage]:
    """A database without a schema, open."""
    async with open_storage(empty_database) as storage:
        assert isinstance(storage, Storage)
        yield storage


async def test_revisions_go_up_down_and_up_again(empty: Storage) -> None:
    await empty.migrate()
    for name in sorted(migrations.revisions(), reverse=True):
        if not hasattr(import_module(f"{migrations.PACKAGE}.{name}"), "downgrade"):
            break  # It cannot be undone, and those before it stay.
        await migrations.downgrade(empty.database)
    else:
        assert await empty.database.list_collection_names() == ["migrations"]

    await empty.migrate()

    await empty.check()


def test_no_two_revisions_have_the_same_number() -> None:
    numbers = [name.partition("_")[0] for name in migrations.revisions()]
    assert sorted(numbers) == sorted(set(numbers))


async def test_models_and_revisions_agree(empty: Storage) -> None:
    await empty.migrate()

    for feature in FEATURES:
        records = getattr(feature.load("mongodb"), "RECORDS", None) if feature.is_stored() else None
        if isinstance(records, Documents):
            found = (await empty.database[feature.name].options())["validator"]
            rules = deepcopy(records.rules)
            required = {*found["$jsonSchema"].pop("required")}
            assert {*rules["$jsonSchema"].pop("required")} <= required  # A default is stored, too.
            assert found == rules
