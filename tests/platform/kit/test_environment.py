"""What is read of ``.env``, and what of the environment must not stop the start."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from app.kit.environment import MAX_CHARACTERS, add_to_dotenv, load_dotenv, read_dotenv
from app.kit.errors import InvalidSettings
from app.settings import Settings
from tests.kit.commands import app, check_line
from tests.kit.support import url

APP = [sys.executable, "-c", "from app.cli import main; main()"]
WRONG = {
    "UTF-16": ("DATABASE_URL=s3cret\n".encode("utf-16"), "UTF-8"),
    "UTF-16 without its mark": ("DATABASE_URL=s3cret\n".encode("utf-16-le"), "UTF-8"),
    "Latin-1": ("DATABASE_URL=s3crét\n".encode("latin-1"), "UTF-8"),
    "no variable": (b"PORT=3000\ns3cret s3cret\n", "line 2"),
    "YAML": (b"DATABASE_URL: s3cret\n", "line 1"),
    "open quote": (b'PORT=3000\nDATABASE_URL="s3cret\n', "line 2"),
}
TELEMETRY = {
    "OTEL_PROPAGATORS": "tracecontext,baggage,b3",
    "OTEL_PYTHON_CONTEXT": "absent",
    "OTEL_PYTHON_TRACER_PROVIDER": "absent",
    "OTEL_PYTHON_METER_PROVIDER": "absent",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder without ``.env``, with few variables."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() & {"PORT", "HOST", "AUTH_TOKENS", "DATABASE_URL", "DOTENV"}:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.mark.parametrize(("content", "named"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_read_is_one_line(folder: Path, content: bytes, named: str) -> None:
    (folder / ".env").write_bytes(content)

    with pytest.raises(InvalidSettings, match=named) as caught:
        read_dotenv()

    assert str(caught.value).startswith(".env: ")
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)  # The whole path could be too long.


NO_FILE: dict[str, Callable[[Path], object]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "socket": make_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "huge": lambda path: path.write_text("#" * (MAX_CHARACTERS + 1)),
}


@pytest.mark.parametrize("make", NO_FILE.values(), ids=NO_FILE.keys())
def test_what_is_no_file_of_settings_is_one_line(
    folder: Path, make: Callable[[Path], object]
) -> None:
    make(folder / ".env")

    with pytest.raises(InvalidSettings, match=r"^\.env: it is (not|over)[\w ]+$"):
        read_dotenv()


def test_a_link_to_itself_is_one_line(folder: Path) -> None:
    (folder / ".env").symlink_to(".env")

    with pytest.raises(InvalidSettings, match=r"\.env: "):
        read_dotenv()


@pytest.mark.parametrize(
    "command", ["serve", "serve --workers 2", "serve --reload", "migrate", "seed", "dump", "load"]
)
def test_every_command_says_it_in_one_line(command: str) -> None:
    check_line(app(*command.split(), DOTENV="s3cret s3cret"), ".env")


def test_what_programs_write_into_it_is_understood(folder: Path) -> None:
    text = "\ufeffexport PORT=1 # why\r\nHOST='a$b'\r\n\r\nAUTH_TOKENS=\"x y\""
    (folder / ".env").write_bytes(text.encode())

    assert read_dotenv() == {"PORT": "1", "HOST": "a$b", "AUTH_TOKENS": "x y"}


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"port": "1"})
    (folder / ".env").write_text("PORT=2\nHOST=3")

    load_dotenv()

    assert os.environ == {"port": "1", "HOST": "3", "DOTENV_LOADED": "HOST"}


def test_read_again_it_replaces_what_it_had_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"PORT": "1"})
    (folder / ".env").write_text("HOST=2\nLOG_LEVEL=DEBUG")
    load_dotenv()
    (folder / ".env").write_text("HOST=3\nPORT=4")

    load_dotenv()

    assert os.environ == {"PORT": "1", "HOST": "3", "DOTENV_LOADED": "HOST"}


@pytest.mark.parametrize("text", ["", "PORT=8080", "PORT=8080\n", "PORT=8080\r\n"])
def test_what_is_added_is_a_line_of_its_own(folder: Path, text: str) -> None:
    (folder / ".env").write_bytes(text.encode())

    add_to_dotenv("AUTH_TOKENS", "sha256:x")

    assert read_dotenv() == ({"PORT": "8080"} if text else {}) | {"AUTH_TOKENS": "sha256:x"}


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_plugins_that_are_not_installed_stop_nothing(
    settings: Settings, folder: Path, disabled: str
) -> None:
    lines = {"DATABASE_URL": url(settings), "OTEL_SDK_DISABLED": disabled} | TELEMETRY
    with socket.create_server(("127.0.0.1", 0)) as free:
        lines["PORT"] = str(free.getsockname()[1])
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    log = folder / "log"
    with log.open("w") as file:
        running = subprocess.Popen([*APP, "serve"], env={"DOTENV": text}, stderr=file)
    try:
        await_live(f"http://127.0.0.1:{lines['PORT']}/health/live")
    finally:
        running.terminate()
        running.wait()

    warnings = [line for line in log.read_text().splitlines() if "is not installed" in line]
    assert len(warnings) == (0 if disabled == "true" else len(TELEMETRY))


def await_live(address: str) -> None:
    with httpx2.Client(transport=httpx2.HTTPTransport(retries=8)) as client:
        assert client.get(address).status_code == 200


def test_the_document_needs_no_plugin() -> None:
    subprocess.run([*APP, "openapi"], env=TELEMETRY, check=True, capture_output=True)
