"""How much of the project a request runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx2

import app
from app.kit.storage import engine_of
from app.main import create_app
from tests.kit.support import migrated_database, serving

SOURCE = str(Path(app.__file__).parent)
MOST = {"sqlite": 16, "postgres": 17, "mysql": 17, "mongodb": 14}


@contextmanager
def modules_run() -> Iterator[set[str]]:
    """Yield the modules of the project of which threads that start within run a function."""
    found: set[str] = set()

    def profile(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(SOURCE):
            found.add(frame.f_code.co_filename.removeprefix(SOURCE))

    threading.setprofile(profile)
    try:
        yield found
    finally:
        threading.setprofile(None)


def test_a_note_is_read_by_few_modules() -> None:
    with (
        migrated_database() as settings,
        modules_run() as modules,
        serving(create_app(settings)) as address,
        httpx2.Client(base_url=address) as client,
    ):
        path = client.post("/notes", json={"content": "x"}).headers["Location"]
        client.get(path)
        modules.clear()
        assert client.get(path).status_code == 200
        found = sorted(modules)

    assert len(found) <= MOST[engine_of(settings)], found
