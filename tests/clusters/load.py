"""One load on two services of one database, and one verdict on what they answered.

Each answer is a success, or 503 with ``Retry-After``, within five seconds. What was acknowledged is
there at the end, once, on both services.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from subprocess import run
from typing import Any

import httpx2

from clusters.clients import HEALED_SECONDS, LONGEST_SECONDS, Client
from conftest import environment
from test_lifecycle import free_port, ready, running

CLIENTS = 8
WORKERS = 2


class Load:
    """Clients at work on two services."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.clients = [Client(*addresses) for _ in range(CLIENTS)]
        self._stopped = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the clients work."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            jobs = [pool.submit(client.work, self._stopped) for client in self.clients]
            try:
                yield
            finally:
                self._stopped.set()
            for job in jobs:
                job.result()

    def settle(self) -> float:
        """Return after how many seconds all clients have had a success, from now on."""
        began = time.monotonic()
        while waiting := [each for each in self.clients if each.last_success < began]:
            if time.monotonic() > began + HEALED_SECONDS:
                raise TimeoutError("\n".join(("Not healed:", *waiting[0].history[-9:])))
            time.sleep(0.02)
        return time.monotonic() - began

    def check(self) -> None:
        """Raise ``AssertionError`` unless the verdict is good."""
        check_answers([answer for client in self.clients for answer in client.answers])
        flaws = [flaw for client in self.clients for flaw in client.failures]
        for address in self.addresses:
            with httpx2.Client(base_url=address, timeout=LONGEST_SECONDS) as reader:
                flaws += self._flaws(reader)
        stories = (client.story(flaw) for client in self.clients for flaw in flaws[:1])
        assert not flaws, "\n".join([f"{len(flaws)} flaws:", *flaws, *chain(*stories)])

    def _flaws(self, reader: httpx2.Client) -> list[str]:
        """Return what is lost or doubled; each content was made for one note."""
        found = list(all_notes(reader))
        by_path = {f"/notes/{note['id']}": note for note in found}
        number = Counter(note["content"] for note in found)
        notes = [note for client in self.clients for note in client.notes]
        doubled = [f"doubled: {note.path}" for note in notes if number[note.content] > 1]
        return doubled + [flaw for note in notes for flaw in note.flaws(by_path.get(note.path))]


def check_answers(answers: list[httpx2.Response]) -> None:
    """Raise ``AssertionError`` unless they are successes, or 503 with ``Retry-After``, and fast."""
    wrong = [each for each in answers if not (each.is_success or each.status_code == 503)]
    assert not wrong, f"{len(wrong)} of {len(answers)}, such as {wrong[0].request} {wrong[0].text}"
    assert all(each.is_success or each.headers["Retry-After"] for each in answers)
    slowest = max(answers, key=lambda each: each.elapsed)
    took = slowest.elapsed.total_seconds()
    assert took < LONGEST_SECONDS, f"{took} s: {slowest.request} {slowest.text}"


def all_notes(reader: httpx2.Client) -> Iterator[dict[str, Any]]:
    """Yield all notes of a service."""
    page = {"next_cursor": ""}
    while (cursor := page["next_cursor"]) is not None:
        where = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = reader.get("/notes", params=where).raise_for_status().json()
        yield from page["data"]


@contextmanager
def under_load(project: Path, folder: Path, *urls: str) -> Iterator[Load]:
    """Run two services on a database, and a load on them, and check the verdict at the end.

    ``urls`` are those of the services: one for both, or one each.
    """
    two = urls if len(urls) == 2 else urls * 2
    app = str(project / ".venv/bin/app")
    run([app, "migrate"], env=environment("sqlite") | {"DATABASE_URL": urls[0]}, check=True)
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        services = [serving(app, folder / f"service{i}", url) for i, url in enumerate(two)]
        load = Load(*pool.map(stack.enter_context, services))
        with load.running():
            load.settle()
            yield load
            load.settle()
        load.check()


@contextmanager
def serving(app: str, folder: Path, url: str) -> Iterator[str]:
    """Run a service with its log in a new folder, and yield its address; it must not end."""
    folder.mkdir()
    port = str(free_port())
    variables = {"DATABASE_URL": url, "PORT": port, "LOG_LEVEL": "WARNING"}
    with running([app, "serve", "--workers", str(WORKERS)], folder, **variables) as process:
        address = f"http://127.0.0.1:{port}"
        ready(address, process, folder).close()
        yield address
        assert process.poll() is None
