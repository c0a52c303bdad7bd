"""Helpers for tests of a running service: raw connections, and its log."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


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
