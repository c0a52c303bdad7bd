"""The databases and the services under measure, started and ended with a ``with`` block."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from client import Call, run
from data import write_dump

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
GENERATED, TEXTBOOK, LIMIT = "generated", "textbook", "limit"
KINDS = {"mongodb": "mongodb"}
"""The modules of the textbook and of the limit; those of other databases are ``sql``."""
OPTIONS = "--no-access-log --log-level warning --loop uvloop --http httptools"


@dataclass(frozen=True)
class Program:
    """How a service is started; it is ready when it answers ``path``."""

    name: str
    command: Sequence[str | Path]
    variables: Mapping[str, str]
    path: str = "/notes?limit=20"
    port: int = field(default_factory=lambda: _free_port())


@dataclass(frozen=True)
class Service:
    """A running service."""

    name: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time that the process has taken so far."""
        return time.clock_gettime(~self.pid << 3 | 2)  # The clock of clock_getcpuclockid(3).

    def megabytes(self) -> float:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@contextmanager
def empty(database: str) -> Iterator[str]:
    """Yield the URL of a new database, made by the tests of the generated project."""
    engine: Any = import_module(f"tests.kit.engines.{database}")
    with engine.database(os.environ.get(f"TEST_{database.upper()}_URL")) as url:
        yield url


@contextmanager
def filled(database: str, notes: int, depth: int) -> Iterator[str]:
    """Yield the URL of a new database with the project's schema and so many notes."""
    with empty(database) as url, TemporaryDirectory() as folder:
        dump, settings = Path(folder) / "dump", {**os.environ, "DATABASE_URL": url}
        write_dump(dump, notes, depth)
        for command in (["migrate"], ["load", dump]):
            subprocess.run([PROGRAMS / "app", *command], check=True, env=settings)
        yield url


def generated(url: str, name: str = GENERATED, **variables: str) -> Program:
    """Return the generated service; by default, without log lines of requests."""
    given = {"DATABASE_URL": url, "LOG_LEVEL": "WARNING", **variables}
    return Program(name, [PROGRAMS / "app", "serve"], given)


def by_hand(name: str, database: str, url: str) -> Program:
    """Return the textbook's service or the limit's."""
    module = f"{name}_{KINDS.get(database, 'sql')}:app"
    return uvicorn(name, PROGRAMS, [module, "--app-dir", str(HERE)], {"DATABASE_URL": url})


def uvicorn(
    name: str, programs: Path, app: Sequence[str], variables: Mapping[str, str], **more: str
) -> Program:
    """Return a service on uvicorn with one worker and no access log."""
    return Program(name, [programs / "uvicorn", *app, *OPTIONS.split()], variables, **more)


@contextmanager
def running(program: Program) -> Iterator[Service]:
    """Run a service with one worker."""
    variables = {**os.environ, "PORT": str(program.port), "UVICORN_PORT": str(program.port)}
    variables |= program.variables
    with TemporaryFile() as log:
        process = subprocess.Popen(program.command, env=variables, stderr=log)
        try:
            if not _is_ready(program, process):
                log.seek(0)
                raise SystemExit(f"It did not start: {program}\n{log.read().decode()}")
            yield Service(program.name, program.port, process.pid)
        finally:
            process.terminate()
            process.wait()


def measure(service: Service, call: Call, seconds: float, connections: int) -> dict[str, float]:
    """Load a service; return microseconds of its CPU and until the answer, and answers a second."""
    before = service.cpu_seconds()
    load = run(call, service.port, seconds, connections)
    answers = len(load.milliseconds)
    cpu = (service.cpu_seconds() - before) * 1e6 / answers
    return {"cpu": cpu, "wall": median(load.milliseconds) * 1e3, "rate": answers / load.seconds}


def _is_ready(program: Program, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a service answers; return whether it does."""
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
        with suppress(OSError), closing(connection):
            connection.request("GET", program.path)
            if connection.getresponse().status < 500:
                return True
        time.sleep(0.005)
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
