"""A temporary MySQL or MariaDB database."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import uuid4

import asyncmy
import pytest
from asyncmy.errors import MySQLError

from app.kit.errors import InvalidSettings
from app.settings import load_settings

KIND = "sql"
HELP = "The database does not answer: run `make db-up`, or set TEST_DATABASE_URL to a server's URL."


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Yield the URL of a new, empty database on a server, by default the one of ``.env``."""
    name = f"test_{uuid4().hex}"
    try:
        url = urlsplit(server or load_settings().database_url.get_secret_value())
        _execute(url, f"CREATE DATABASE {name}")
    except (InvalidSettings, MySQLError) as error:
        pytest.exit(f"{HELP} ({error})", returncode=1)
    yield url._replace(path=f"/{name}").geturl()
    _execute(url, f"DROP DATABASE {name}")


def _execute(url: SplitResult, statement: str) -> None:
    asyncio.run(_run(url, statement))


async def _run(url: SplitResult, statement: str) -> Any:
    connection = await asyncmy.connect(
        host=url.hostname,
        port=url.port or 3306,
        user=unquote(url.username or ""),
        password=unquote(url.password or "").encode(),
        connect_timeout=5,
    )
    async with connection, connection.cursor() as cursor:
        await cursor.execute(statement)
        return await cursor.fetchall()
