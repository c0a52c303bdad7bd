"""A temporary MongoDB database."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from app.kit.errors import InvalidSettings
from app.settings import load_settings

KIND = "mongodb"
HELP = "MongoDB does not answer: run `make db-up`, or set TEST_DATABASE_URL to a server's URL."


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Yield the URL of a new, empty database on a server, by default the one of ``.env``."""
    name = f"test_{uuid4().hex}"
    try:
        url = urlsplit(server or load_settings().database_url.get_secret_value())
        client: MongoClient[dict[str, object]] = MongoClient(
            url.geturl(), serverSelectionTimeoutMS=5000
        )
        with client:
            client.admin.command("ping")
            yield url._replace(path=f"/{name}").geturl()
            client.drop_database(name)
    except (InvalidSettings, PyMongoError) as error:
        pytest.exit(f"{HELP} ({error})", returncode=1)
