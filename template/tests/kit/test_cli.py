"""The commands, and what they say of wrong settings."""

import json
import socket

import httpx2
import pytest

from app.settings import Settings
from tests.kit.probe.service import SERVICE
from tests.kit.support import app, check_line, url


def test_help_has_the_description_and_every_command() -> None:
    run = app("--help")

    assert run.returncode == 0
    assert SERVICE.description in run.stdout
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

    check_line(run, named)
    assert "s3cret" not in run.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("serve", "serve --workers 2", "serve --reload", "migrate", "migrate --check"),
        *("seed", "dump", "load"),
    ],
)
def test_no_command_shows_a_wrong_url(settings: Settings, command: str) -> None:
    scheme = url(settings).partition("://")[0]
    run = app(*command.split(), DATABASE_URL=f"{scheme}://app:s3cret#part@db/app?s3cret")

    check_line(run, "DATABASE_URL")
    assert "s3cret" not in run.stderr


def test_a_wrong_option_is_one_line() -> None:
    check_line(app("serve", "--workers", "0"), "--workers")


@pytest.mark.parametrize("command", ["", "load", "dump --feature"])
@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2Kb", "a\u2028b", "a\udcffb"])
def test_what_was_typed_stays_on_one_line(settings: Settings, command: str, text: str) -> None:
    run = app(*command.split(), text, DATABASE_URL=url(settings))

    check_line(run, "Error: ", ascii(text)[1:-1])


def test_a_taken_port_is_one_line(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        check_line(app("serve", DATABASE_URL=url(settings), PORT=port), port)


@pytest.mark.usefixtures("revisions")
def test_migrate_and_seed_can_be_run_again(empty_database: Settings) -> None:
    database = url(empty_database)
    check_line(app("migrate", "--check", DATABASE_URL=database), "app migrate")

    for _ in range(2):
        assert app("migrate", DATABASE_URL=database).returncode == 0
    assert app("migrate", "--check", DATABASE_URL=database).returncode == 0
    for added in (1, 0):
        assert f"probe: {added} added\n" == app("seed", DATABASE_URL=database).stdout


def test_openapi_prints_the_document_without_any_setting(client: httpx2.Client) -> None:
    assert json.loads(app("openapi").stdout) == client.get("/openapi.json").json()
