"""A temporary SQLite file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

KIND = "sql"


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Yield the URL of a file that does not exist yet; it is gone at the end."""
    with TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'test.db'}"
