"""The commands, run as a person runs them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from http.client import HTTPConnection, HTTPResponse
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import httpx
import pytest

from app.cli import main
from app.settings import Settings

APP = Path(sys.executable).with_name("app")


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"]} | variables


def app(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty folder, with nothing in its environment but ``variables``.

    It runs in this process, which spares the half of a second that it takes to begin.
    """
    out, err, code = StringIO(), StringIO(), 0
    with (
        TemporaryDirectory() as folder,
        chdir(folder),
        patch.dict(os.environ, environment(**variables), clear=True),
        patch.object(sys, "argv", ["app", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:  # As Python does at its end: a text is for stderr, and is a 1.
            code = int(bool(end.code))
            if isinstance(end.code, str):
                print(end.code, file=err)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


def test_help_names_every_command() -> None:
    run = app("--help")

    assert run.returncode == 0
    for command in ("serve", "migrate", "seed", "dump", "load", "openapi"):
        assert command in run.stdout


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": "oracle://me:s3cret@db/notes"}, "DATABASE_URL"),
        ({"DATABASE_URL": "s3cret"}, "DATABASE_URL"),
        ({"PORT": "s3cret"}, "PORT"),
        ({"LOG_LEVEL": "s3cret"}, "LOG_LEVEL"),
    ],
    ids=["missing", "unknown engine", "no URL", "port", "log level"],
)
def test_a_wrong_setting_stops_the_start_in_one_line(
    settings: Settings, variables: dict[str, str], named: str
) -> None:
    if variables and named != "DATABASE_URL":
        variables = {"DATABASE_URL": url(settings)} | variables

    run = app("serve", **variables)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
    assert named in run.stderr
    assert "s3cret" not in run.stderr


def test_a_wrong_option_is_one_line() -> None:
    run = app("serve", "--workers", "0")

    assert run.returncode == 1
    assert run.stderr.count("\n") == 1


def test_a_taken_port_is_one_line(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = app("serve", DATABASE_URL=url(settings), PORT=port)

    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert port in run.stderr


def test_migrate_and_seed_can_be_run_again_and_at_once(empty_database: Settings) -> None:
    database = url(empty_database)
    before = app("migrate", "--check", DATABASE_URL=database)
    assert (before.returncode, before.stderr.count("\n")) == (1, 1)
    assert "app migrate" in before.stderr

    variables = environment(DATABASE_URL=database)
    runs = [subprocess.Popen([APP, "migrate"], env=variables) for _ in range(2)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]

    assert app("migrate", "--check", DATABASE_URL=database).returncode == 0
    assert "notes: 3 added\n" in app("seed", DATABASE_URL=database).stdout
    assert "notes: 0 added\n" in app("seed", DATABASE_URL=database).stdout


def test_openapi_prints_the_document_without_any_setting(client: httpx.Client) -> None:
    assert json.loads(app("openapi").stdout) == client.get("/openapi.json").json()


@contextmanager
def serving(settings: Settings, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {"DATABASE_URL": url(settings), "PORT": str(port), "LOG_FORMAT": "json"}
    process = subprocess.Popen(
        [APP, "serve", *options], env=environment(**variables), stderr=subprocess.PIPE, text=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health/ready")
        yield process, address
    finally:
        process.kill()
        process.communicate()


def wait_for(address: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(address)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_finishes_what_is_under_way(settings: Settings, workers: str) -> None:
    with serving(settings, "--workers", workers) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b'Content-Length: 15\r\n\r\n{"content":'
            )
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            slow.sendall(b'"x"}')
            assert slow.recv(65536).startswith(b"HTTP/1.1 201 ")
        assert process.wait(timeout=10) == 0


def test_sigterm_lets_open_connections_end_between_two_requests(settings: Settings) -> None:
    with serving(settings) as (process, address):
        client = HTTPConnection(address.removeprefix("http://"))
        answer = get(client, "/notes")
        process.terminate()
        while answer.getheader("Connection") != "close":
            answer = get(client, "/notes")
            assert answer.status == 200
        assert process.wait(timeout=10) == 0


def get(client: HTTPConnection, path: str) -> HTTPResponse:
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    return answer


def test_every_log_line_of_a_request_bears_its_id(settings: Settings) -> None:
    with serving(settings) as (process, address):
        httpx.get(f"{address}/notes", headers={"X-Request-ID": "find-me"})
        process.terminate()
        _, log = process.communicate(timeout=10)

    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["request_id"] == "find-me" and "/notes" in line["message"] for line in lines)
