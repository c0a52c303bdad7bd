"""The commands, and what they say of wrong settings."""

import json
import os
import socket
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
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


def test_migrate_and_seed_can_be_run_again(empty_database: Settings) -> None:
    database = url(empty_database)
    before = app("migrate", "--check", DATABASE_URL=database)
    assert (before.returncode, before.stderr.count("\n")) == (1, 1)
    assert "app migrate" in before.stderr

    for _ in range(2):
        assert app("migrate", DATABASE_URL=database).returncode == 0
    assert app("migrate", "--check", DATABASE_URL=database).returncode == 0
    for added in (3, 0):
        assert f"notes: {added} added\n" in app("seed", DATABASE_URL=database).stdout


def test_openapi_prints_the_document_without_any_setting(client: httpx.Client) -> None:
    assert json.loads(app("openapi").stdout) == client.get("/openapi.json").json()
