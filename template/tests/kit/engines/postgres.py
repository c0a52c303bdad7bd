"""A temporary PostgreSQL database."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from app.kit.errors import InvalidSettings
from app.settings import load_settings

KIND = "sql"
HELP = "PostgreSQL does not answer: run `make db-up`, or set TEST_DATABASE_URL to a server's URL."


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Yield the URL of a new, empty database on a server, by default the one of ``.env``."""
    name = f"test_{uuid4().hex}"
    try:
        url = urlsplit(server or load_settings().database_url.get_secret_value())
        _execute(url.geturl(), f"CREATE DATABASE {name}")
    except (InvalidSettings, OSError, asyncpg.PostgresError) as error:
        pytest.exit(f"{HELP} ({error})", returncode=1)
    yield url._replace(path=f"/{name}").geturl()
    _execute(url.geturl(), f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    asyncio.run(_run(url, statement))


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
