"""Helpers for tests of a running service: its processes, raw connections, and its log."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

import httpx2

from app.settings import Settings
from tests.kit.commands import app, environment
from tests.kit.support import create_samples, url


def with_samples(database: Settings) -> str:
    """Prepare an empty database for samples, and return its URL."""
    app("migrate", DATABASE_URL=url(database))
    asyncio.run(create_samples(database))
    return url(database)


@contextmanager
def connected(address: str, *sent: bytes) -> Iterator[socket.socket]:
    """Yield a connection on which something was sent."""
    place = urlsplit(address)
    with socket.create_connection(
        (place.hostname or "", place.port or 0), timeout=10
    ) as connection:
        for part in sent:
            connection.sendall(part)
        yield connection


def await_lines(log: Path, text: str, count: int) -> bool:
    """Wait until a text was logged so many times, and return whether it was."""
    for _ in range(600):
        if log.read_text().count(text) >= count:
            return True
        time.sleep(0.05)
    return False


def start(
    arguments: Sequence[str], variables: dict[str, str], **options: Any
) -> subprocess.Popen[bytes]:
    """Start a command of the service with the probe in another process."""
    command = [sys.executable, "-m", "tests.kit.probe.service", *arguments]
    return subprocess.Popen(command, cwd=gettempdir(), env=environment(**variables), **options)


@contextmanager
def process(
    settings: Settings, log: Path, *options: str, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the service in another process; yield it with its host and port when it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    variables |= {"DATABASE_URL": url(settings), "PORT": address.rpartition(":")[2]}
    with log.open("w") as file:
        running = start(["serve", *options], variables, stderr=file)
    try:
        _await_ready(f"http://{address}/health/ready")
        yield running, address
    finally:
        running.terminate()  # Killed, it would leave its workers behind.
        try:
            running.wait(timeout=10)
        finally:
            running.kill()


def _await_ready(address: str) -> None:
    for _ in range(300):
        try:
            if httpx2.get(address).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise TimeoutError(address)
