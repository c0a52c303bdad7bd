"""A user's whole way with the service."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE

import httpx2
from copier import run_copy

from conftest import environment

END_GROUP = 'read -r _; kill -s KILL -- "-$0"'
"""Ends a process group when its input ends, which it does with this process, whatever ends it."""


@contextmanager
def running(
    command: list[str], project: Path, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server command in a process group of its own, and end the group."""
    with (project / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=project,
            env=environment("sqlite") | variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    script = ["sh", "-c", END_GROUP, str(process.pid)]
    guard = subprocess.Popen(script, stdin=PIPE, stderr=DEVNULL, process_group=0)
    try:
        yield process
    finally:
        guard.communicate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ready(address: str, process: subprocess.Popen[bytes], project: Path) -> httpx2.Client:
    """Return a client of the service once it is ready."""
    for _ in range(1200):
        assert process.poll() is None, (project / "log").read_text()
        try:
            if httpx2.get(f"{address}/health/ready").is_success:
                return httpx2.Client(base_url=address)
        except httpx2.TransportError:
            time.sleep(0.05)
    raise TimeoutError((project / "log").read_text())


def test_generate_develop_restart_and_stop(template: Path, tmp_path: Path) -> None:
    project, port = tmp_path / "notes", free_port()
    run_copy(str(template), project, data={"project_name": "Notes"}, defaults=True, quiet=True)
    address, variables = f"http://127.0.0.1:{port}", {"PORT": str(port)}

    with (
        running(["make", "dev"], project, **variables) as dev,
        ready(address, dev, project) as client,
    ):
        note = client.post("/notes", json={"content": "Buy oat milk"}).headers["Location"]
        assert client.patch(note, json={"content": "Buy milk"}).headers["ETag"] == '"2"'
        edited = client.get(note).json()
        assert client.get("/notes").json()["data"] == [edited["data"]]

        routes = project / "src/app/kit/features.py"
        routes.write_text(routes.read_text() + "\n# An edit: the service starts again.\n")
        time.sleep(1)
        with ready(address, dev, project) as again:
            assert again.get(note).json() == edited

    with (
        running([".venv/bin/app", "serve", "--workers", "2"], project, **variables) as server,
        ready(address, server, project) as client,
    ):
        assert client.get(note).json() == edited
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
