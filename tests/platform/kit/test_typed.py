"""What a command says of what was typed."""

import socket

import pytest

from app.settings import Settings
from tests.kit.commands import app, check_line
from tests.kit.support import url


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
