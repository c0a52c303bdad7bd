"""The database and the services under measure, started and ended with a ``with`` block."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
GENERATED, TEXTBOOK, LIMIT = "generated", "textbook", "limit"


@dataclass(frozen=True)
class Service:
    """A running service."""

    name: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time that the process has taken so far."""
        return time.clock_gettime(~self.pid << 3 | 2)  # The clock of clock_getcpuclockid(3).


@contextmanager
def filled(database: str, notes: int, depth: int) -> Iterator[str]:
    """Make a database with the project's schema, fill it, yield its URL, and drop it at the end."""
    data, server = import_module(f"data_{database}"), os.environ[f"TEST_{database.upper()}_URL"]
    name = f"benchmark_{os.getpid()}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    data.create(server, name)
    try:
        settings = {**os.environ, "DATABASE_URL": url}
        subprocess.run([PROGRAMS / "app", "migrate"], check=True, env=settings)
        data.load(url, notes, depth)
        yield url
    finally:
        data.drop(server, name)


@contextmanager
def running(name: str, database: str, url: str) -> Iterator[Service]:
    """Run a service, with one worker and no access log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command: list[Path | str] = [PROGRAMS / "app", "serve"]
    if name != GENERATED:
        options = f"--port {port} --no-access-log --log-level warning --loop uvloop"
        command = [PROGRAMS / "uvicorn", f"{name}_{database}:app", "--app-dir", HERE]
        command += [*options.split(), "--http", "httptools"]
    settings = {"DATABASE_URL": url, "PORT": str(port), "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, env={**os.environ, **settings})
    try:
        _wait_for(port, process)
        yield Service(name, port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"The service did not start: {process.args!r}")
