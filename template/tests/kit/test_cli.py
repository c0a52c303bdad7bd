"""The commands, and what they say of wrong settings."""

import json

import httpx2
import pytest

from app.settings import Settings
from tests.kit.commands import app, check_line
from tests.kit.probe.service import SERVICE
from tests.kit.support import url


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
        ({"DATABASE_URL": "oracle://me:s3cret@db/app"}, "DATABASE_URL"),
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
