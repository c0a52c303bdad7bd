"""The database and the services under measure, started and ended with a ``with`` block."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
GENERATED, TEXTBOOK, LIMIT = "generated", "textbook", "limit"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Service:
    """A running service."""

    name: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time that the process has taken so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


@dataclass(frozen=True)
class Data:
    """A database full of notes: its URL, the newest note, and the cursor of the deep page."""

    url: str
    newest: str
    cursor: str


@contextmanager
def database(project: Path, server: str, notes: int, depth: int) -> Iterator[Data]:
    """Make a database with the project's schema, fill it, and drop it at the end."""
    name = f"benchmark_{os.getpid()}"
    url = f"{server.rpartition('/')[0]}/{name}"
    tool: list[Path | str] = [project / ".venv/bin/python", HERE / "data.py"]
    subprocess.run([*tool, "create", server, name], check=True)
    try:
        settings = {**os.environ, "DATABASE_URL": url}
        subprocess.run([project / ".venv/bin/app", "migrate"], check=True, env=settings)
        load = [*tool, "load", url, str(notes), str(depth)]
        printed = subprocess.run(load, check=True, capture_output=True, text=True).stdout
        yield Data(url, *printed.split())
    finally:
        subprocess.run([*tool, "drop", server, name], check=True)


@contextmanager
def running(name: str, project: Path, url: str) -> Iterator[Service]:
    """Run a service, with one worker and no access log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command: list[Path | str] = [project / ".venv/bin/app", "serve"]
    if name != GENERATED:
        options = f"--port {port} --no-access-log --log-level warning --loop uvloop"
        command = [project / ".venv/bin/uvicorn", f"{name}:app", "--app-dir", HERE]
        command += [*options.split(), "--http", "httptools"]
    settings = {"DATABASE_URL": url, "PORT": str(port), "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, cwd=project, env={**os.environ, **settings})
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
