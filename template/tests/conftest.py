"""A database of the tests' own, and the service running on it."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from app.kit import migrations
from app.kit.features import Feature
from app.kit.http.protocol import BoundedProtocol
from app.kit.storage import ENGINES, Storage, engine_of, open_storage
from app.main import create_app
from app.notes.repository import NoteRepository
from app.settings import Settings
from tests.notes.memory import MemoryNotes

NOTES_FEATURE = Feature("notes", "app.notes")
SERVER = os.environ.get("TEST_DATABASE_URL")


def _engine() -> ModuleType:
    name = next(iter(ENGINES.values()))
    if SERVER:
        name = engine_of(Settings(_env_file=None, database_url=SERVER))
    return import_module(f"tests.kit.engines.{name}")


ENGINE = _engine()
"""The engine of ``TEST_DATABASE_URL``, else the first one that the project knows."""

collect_ignore = [
    str(path)
    for kind in iter_modules(migrations.__path__)
    for path in Path(__file__).parent.glob(f"kit/test_{kind.name}_*.py")
    if kind.name != ENGINE.KIND
]


@contextmanager
def new_database() -> Iterator[Settings]:
    """Yield settings that name a new, empty database, which is gone at the end."""
    with ENGINE.database(SERVER) as url:
        yield Settings(_env_file=None, database_url=url, log_level="WARNING")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def empty_database() -> Iterator[Settings]:
    """A database in which nothing was ever done."""
    with new_database() as settings:
        yield settings


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """A database at the newest revision, shared by all tests."""

    async def migrate(settings: Settings) -> None:
        async with open_storage(settings) as storage:
            await storage.migrate()

    with new_database() as settings:
        asyncio.run(migrate(settings))
        yield settings


@pytest.fixture
async def storage(settings: Settings) -> AsyncIterator[Storage]:
    """The shared database, open."""
    async with open_storage(settings) as storage:
        yield storage


@pytest.fixture
async def emptied(storage: Storage) -> Storage:
    """The shared database, open and without notes."""
    await delete_all(storage.repository(NOTES_FEATURE))
    return storage


async def delete_all(notes: NoteRepository) -> None:
    """Delete every note."""
    while page := await notes.latest(limit=100):
        await asyncio.gather(*(notes.delete(note.id) for note in page))


@pytest.fixture(params=["database", "memory"])
async def notes(request: pytest.FixtureRequest, emptied: Storage) -> NoteRepository:
    """A repository without notes: the real one, and one in memory that must be like it."""
    if request.param == "memory":
        return MemoryNotes()
    notes: NoteRepository = emptied.repository(NOTES_FEATURE)
    return notes


@contextmanager
def serving(app: ASGIApp, http: type[BoundedProtocol] = BoundedProtocol) -> Iterator[str]:
    """Run a service, and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=http, lifespan="on", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.01)
    host, port = listener.getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def service(settings: Settings) -> Iterator[str]:
    """The address of the service, running on the shared database."""
    with serving(create_app(settings)) as address:
        yield address


@pytest.fixture(scope="session")
def client(service: str) -> Iterator[httpx.Client]:
    """A client of the service."""
    with httpx.Client(base_url=service, timeout=10) as client:
        yield client
