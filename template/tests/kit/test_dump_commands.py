"""`app dump` and `app load`, run as a person runs them."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE

import pytest

from app.kit.dump.feature import TransferError
from app.kit.dump.files import reading, writing
from app.kit.storage import open_storage
from app.notes.models import Note
from app.settings import Settings
from tests.conftest import NOTES_FEATURE
from tests.kit.test_cli import APP, app, environment, url
from tests.notes.dumps import dump_of, hard_records, many


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def database(empty_database: Settings) -> str:
    """The URL of a database without notes."""
    app("migrate", DATABASE_URL=url(empty_database))
    return url(empty_database)


def piped(database: str, command: str, given: bytes = b"") -> tuple[int, bytes, str]:
    """Run a command, and return its exit code and what it printed."""
    variables = environment(DATABASE_URL=database)
    run = subprocess.run([APP, command], env=variables, input=given, capture_output=True)
    return run.returncode, run.stdout, run.stderr.decode()


def test_the_commands_take_pipes(database: str) -> None:
    dump = dump_of(hard_records())

    assert piped(database, "load", dump) == (0, b"", "notes: 7 loaded\n")
    assert piped(database, "dump") == (0, dump, "notes: 7 dumped\n")


def begun(database: str, command: str) -> subprocess.Popen[bytes]:
    """Begin a command between two pipes."""
    variables = environment(DATABASE_URL=database)
    return subprocess.Popen([APP, command], env=variables, stdin=PIPE, stdout=PIPE, stderr=PIPE)


def check_end(run: subprocess.Popen[bytes]) -> None:
    """See that SIGTERM ends a command at once, and without many words."""
    run.terminate()
    assert run.wait(timeout=10) == 130
    assert run.stderr
    assert run.stderr.read() == b""


def test_a_dump_that_nobody_reads_can_be_ended(database: str) -> None:
    piped(database, "load", dump_of(many(500)))

    with begun(database, "dump") as run:
        assert run.stdout
        run.stdout.read(1)  # The rest is more than a pipe holds.
        check_end(run)


def test_a_load_that_nobody_feeds_can_be_ended(database: str) -> None:
    with begun(database, "load") as run:
        assert run.stdin
        run.stdin.write(dump_of(many(500))[:-1])  # Returns once it was read, but for the last.
        run.stdin.flush()
        check_end(run)


@pytest.mark.parametrize(("stream", "use"), [("stdin", reading), ("stdout", writing)])
def test_a_closed_stream_is_told(
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    use: Callable[[None], AbstractContextManager[object]],
) -> None:
    monkeypatch.setattr(sys, stream, None)

    with pytest.raises(TransferError, match=f"{stream}: Bad file descriptor"), use(None):
        pass


def test_the_commands_take_files(database: str, tmp_path: Path) -> None:
    given, made = tmp_path / "given.ndjson", tmp_path / "made.ndjson"
    given.write_bytes(dump_of(hard_records()))

    assert app("load", str(given), DATABASE_URL=database).stderr == "notes: 7 loaded\n"
    assert app("dump", str(made), DATABASE_URL=database).stderr == "notes: 7 dumped\n"

    assert made.read_bytes() == given.read_bytes()
    assert sorted(names(tmp_path)) == [given.name, made.name]


def test_of_a_damaged_file_nothing_is_loaded(database: str, tmp_path: Path) -> None:
    damaged, after = tmp_path / "damaged.ndjson", tmp_path / "after.ndjson"
    damaged.write_bytes(dump_of(many(500))[:-1])

    load = app("load", str(damaged), DATABASE_URL=database)

    assert (load.returncode, load.stderr.count("\n")) == (1, 1)
    assert "line 501: " in load.stderr
    assert app("dump", str(after), DATABASE_URL=database).stderr == "notes: 0 dumped\n"


def test_a_dump_that_fails_leaves_the_old_one(
    empty_database: Settings, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "notes.ndjson"
    file.write_text("old")
    note = replace(Note.new("x"), created_at=datetime(1969, 12, 31, tzinfo=UTC))

    async def add() -> None:
        async with open_storage(empty_database) as storage:
            await storage.repository(NOTES_FEATURE).add(note)

    asyncio.run(add())
    dump = app("dump", str(file), DATABASE_URL=database)

    assert (dump.returncode, dump.stderr.count("\n")) == (1, 1)
    assert f"notes {note.id}: created_at: " in dump.stderr
    assert file.read_text() == "old"
    assert names(tmp_path) == [file.name]


def test_an_interrupted_dump_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "notes.ndjson"
    file.write_text("old")

    def dump_and_interrupt() -> None:
        with writing(file) as new:
            new.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dump_and_interrupt()

    assert file.read_text() == "old"
    assert names(tmp_path) == [file.name]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dump", "{folder}"], "{folder}: "),
        (["dump", "{folder}/missing/notes.ndjson"], "{folder}/missing/notes.ndjson: "),
        (["load", "{folder}"], "{folder}: "),
        (["load", "{folder}/missing"], "{folder}/missing: "),
        (["load", "{folder}/missing", "--feature=birds"], "'birds'"),
    ],
    ids=["folder", "no folder", "from a folder", "no file", "no feature"],
)
def test_what_cannot_be_is_one_line(
    database: str, tmp_path: Path, arguments: list[str], named: str
) -> None:
    arguments = [argument.format(folder=tmp_path) for argument in arguments]

    run = app(*arguments, DATABASE_URL=database)

    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert named.format(folder=tmp_path) in run.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("command", ["dump", "load"])
def test_an_old_schema_is_told(empty_database: Settings, command: str) -> None:
    run = app(command, DATABASE_URL=url(empty_database))

    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "app migrate" in run.stderr
