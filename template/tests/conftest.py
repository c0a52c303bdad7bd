"""A database of the tests' own, and the service running on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from pkgutil import iter_modules

import httpx2
import pytest

from app.kit import migrations
from app.kit.storage import Storage, open_storage
from app.main import create_app
from app.settings import Settings
from tests.kit.support import ENGINE, client_of, migrated_database, new_database

pytest.register_assert_rewrite("tests.kit.resources")

collect_ignore = [
    str(path)
    for kind in iter_modules(migrations.__path__)
    for path in Path(__file__).parent.glob(f"*/test_{kind.name}_*.py")
    if kind.name != ENGINE.KIND
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """A database at the newest revision, shared by tests that need no other."""
    with migrated_database() as settings:
        yield settings


@pytest.fixture
def empty_database() -> Iterator[Settings]:
    """A database in which nothing was ever done."""
    with new_database() as settings:
        yield settings


@pytest.fixture
async def storage(settings: Settings) -> AsyncIterator[Storage]:
    """The shared database, open."""
    async with open_storage(settings) as storage:
        yield storage


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[httpx2.Client]:
    """A client of the service, which runs on the shared database."""
    with client_of(create_app(settings)) as client:
        yield client
