"""Processes of `app serve` that cannot start, end again and again, or get new settings."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from app.settings import Settings
from tests.kit.support import url

RUN = """
from app.kit.cli import run
from app.kit.service import Service
from app.settings import Settings
if __name__ == "__main__":
    run(Service("made:create_app", Settings, []))
"""
LIFESPAN = """
from fastapi import FastAPI
async def lifespan(app):
    raise RuntimeError("no start")
    yield
def create_app():
    return FastAPI(lifespan=lifespan)
"""
BROKEN = {
    "lifespan": LIFESPAN,
    "import": "import absent_module",
    "syntax": "def",
    "crash": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
}


def serve(
    folder: Path, settings: Settings, module: str, *options: str, **variables: str
) -> subprocess.Popen[str]:
    (folder / "run.py").write_text(RUN)
    (folder / "made.py").write_text(module)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    known = {"DATABASE_URL": url(settings), "PORT": port, "PYTHONPATH": ":".join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "run.py", "serve", *options],
        cwd=folder,
        env=known | variables,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("kind", "workers"), [*((kind, "2") for kind in BROKEN), ("lifespan", "1"), ("import", "1")]
)
def test_what_does_not_start_ends_with_one_line(
    tmp_path: Path, settings: Settings, kind: str, workers: str
) -> None:
    running = serve(tmp_path, settings, BROKEN[kind], "--workers", workers)

    log = running.communicate(timeout=40)[1]

    assert running.returncode == 1
    assert log.splitlines()[-1] == "Error: The service does not start; the log has the reason."


def test_a_rolling_restart_reads_the_settings_again(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / ".env"
    file.write_text("ROOT_PATH=/old")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    module = "from app.main import create_app"
    running = serve(tmp_path, settings, module, "--workers", "2", PORT=str(port))
    try:
        await_prefix(port, "/old")
        file.write_text("ROOT_PATH=/new")
        running.send_signal(signal.SIGHUP)
        await_prefix(port, "/new")
        file.write_text("no variable")
        running.send_signal(signal.SIGHUP)
        time.sleep(1)
        await_prefix(port, "/new")
    finally:
        running.terminate()
        log = running.communicate(timeout=20)[1]

    assert [json.loads(line)["message"] for line in log.splitlines() if "No restart" in line] == [
        "No restart: .env: python-dotenv could not parse statement starting at line 1"
    ]


def await_prefix(port: int, prefix: str) -> None:
    """Wait until the service says that this is its prefix."""
    seen: object = None
    for _ in range(150):
        try:
            seen = httpx2.get(f"http://127.0.0.1:{port}/openapi.json").json().get("servers")
        except httpx2.TransportError as error:
            seen = error
        if seen == [{"url": prefix}]:
            return
        time.sleep(0.1)
    raise TimeoutError(seen)
