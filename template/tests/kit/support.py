"""What the tests share: databases, running services, and what an answer must be like."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

import httpx2
import uvicorn
from starlette.types import ASGIApp

from app.kit.http.protocol import BoundedProtocol
from app.kit.storage import ENGINES, engine_of, open_storage
from app.settings import Settings

SERVER = os.environ.get("TEST_DATABASE_URL")
MISSING = "/probe/01890a5d-ac96-774b-bcce-b302099a8057"
JSON = {"Content-Type": "application/json"}
REQUESTS = 24
T = TypeVar("T")


def _engine() -> ModuleType:
    name = next(iter(ENGINES.values()))
    if SERVER:
        name = engine_of(Settings(_env_file=None, database_url=SERVER))
    return import_module(f"tests.kit.engines.{name}")


ENGINE = _engine()
"""The engine of ``TEST_DATABASE_URL``, else the first one that the project knows."""


@contextmanager
def new_database() -> Iterator[Settings]:
    """Yield settings that name a new, empty database, which is gone at the end."""
    with ENGINE.database(SERVER) as url:
        yield Settings(_env_file=None, database_url=url, log_level="WARNING")


@contextmanager
def migrated_database() -> Iterator[Settings]:
    """Yield the same of a database at the newest revision."""

    async def migrate(settings: Settings) -> None:
        async with open_storage(settings) as storage:
            await storage.migrate()

    with new_database() as settings:
        asyncio.run(migrate(settings))
        yield settings


async def create_samples(settings: Settings) -> None:
    """Have a database keep samples, too."""
    async with open_storage(settings) as storage:
        await import_module(f"tests.kit.probe.{ENGINE.KIND}").create(storage)


@contextmanager
def serving(
    app: ASGIApp, http: type[BoundedProtocol] = BoundedProtocol, **options: Any
) -> Iterator[str]:
    """Run a service in a thread, and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    # As in the settings: a client may use a connection again just when the server closes it.
    options = {"timeout_keep_alive": 75} | options
    options |= {"lifespan": "on", "log_config": None, "access_log": False}
    config = uvicorn.Config(app, http=http, **options)
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


@contextmanager
def client_of(app: ASGIApp) -> Iterator[httpx2.Client]:
    """Run a service in a thread, and yield a client of it."""
    with serving(app) as address, httpx2.Client(base_url=address, timeout=10) as client:
        yield client


def url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


def check_problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """See that an answer is a problem with this status, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert all(isinstance(problem[key], str) for key in ("type", "title", "detail"))
    assert status == 409 or ("errors" in problem) is (status == 422)
    return problem


def create(client: httpx2.Client, content: str = "x") -> str:
    """Make a sample, and return its path."""
    answer = client.post("/probe", json={"content": content})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def delete_all(client: httpx2.Client, *paths: str) -> None:
    """Delete every resource at these paths, those of the first path first."""
    for path in paths:
        while page := client.get(path, params={"limit": 100}).json()["data"]:
            for resource in page:
                client.delete(f"{path}/{resource['id']}").raise_for_status()


def at_once(request: Callable[[int], T]) -> list[T]:
    """Return the answers to as many requests at the same moment."""
    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(request, range(REQUESTS)))
