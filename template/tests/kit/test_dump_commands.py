"""`app dump` and `app load`, run as a person runs them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE

import pytest

from app.kit.dump.feature import TransferError
from app.kit.dump.files import STREAM, reading, writing
from app.kit.storage import open_storage
from app.settings import Settings
from tests.kit.dumps import dump_of, many
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE
from tests.kit.support import app, check_line, create_samples, start, url


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def database(empty_database: Settings) -> str:
    """The URL of a database without samples."""
    app("migrate", DATABASE_URL=url(empty_database))
    asyncio.run(create_samples(empty_database))
    return url(empty_database)


def run(command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return app(command, "--feature=probe", *arguments, **variables)


def begun(database: str, command: str) -> subprocess.Popen[bytes]:
    """Begin a command between two pipes."""
    pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
    return start([command, "--feature=probe"], {"DATABASE_URL": database}, **pipes)


def piped(database: str, command: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run it, and return its exit code and what it printed."""
    with begun(database, command) as process:
        out, err = process.communicate(given)
    return process.returncode, out, err


def test_the_commands_take_pipes(database: str) -> None:
    dump = dump_of(many(7))

    assert piped(database, "load", dump) == (0, b"", b"probe: 7 loaded\n")
    assert piped(database, "dump") == (0, dump, b"probe: 7 dumped\n")


def check_end(process: subprocess.Popen[bytes]) -> None:
    """See that SIGTERM ends a command at once, and without many words."""
    process.terminate()
    assert process.wait(timeout=10) == 130
    assert process.stderr
    assert process.stderr.read() == b""


def test_a_dump_that_nobody_reads_can_be_ended(database: str) -> None:
    piped(database, "load", dump_of(many(500)))

    with begun(database, "dump") as process:
        assert process.stdout
        process.stdout.read(1)  # The rest is more than a pipe holds.
        check_end(process)


def test_a_load_that_nobody_feeds_can_be_ended(database: str) -> None:
    with begun(database, "load") as process:
        assert process.stdin
        process.stdin.write(dump_of(many(500))[:-1])  # Returns once it was read, but for the last.
        process.stdin.flush()
        check_end(process)


@pytest.mark.parametrize(("stream", "use"), [("stdin", reading), ("stdout", writing)])
def test_a_closed_stream_is_told(
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    use: Callable[[Path], AbstractContextManager[object]],
) -> None:
    monkeypatch.setattr(sys, stream, None)

    with pytest.raises(TransferError, match=f"{stream}: Bad file descriptor"), use(STREAM):
        pass


def test_the_commands_take_files(database: str, tmp_path: Path) -> None:
    given, made = tmp_path / "given.ndjson", tmp_path / "made.ndjson"
    given.write_bytes(dump_of(many(7)))

    assert run("load", str(given), DATABASE_URL=database).stderr == "probe: 7 loaded\n"
    assert run("dump", str(made), DATABASE_URL=database).stderr == "probe: 7 dumped\n"

    assert made.read_bytes() == given.read_bytes()
    assert sorted(names(tmp_path)) == [given.name, made.name]


def test_a_symbolic_link_is_not_followed(database: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "folder").mkdir()

    for place in ("elsewhere", "folder", "missing", "link", "/dev/null"):
        link = tmp_path / "link"
        link.symlink_to(place)
        check_line(run("dump", str(link), DATABASE_URL=database), f"{link}: It is a symbolic link")
        assert link.is_symlink()
        link.unlink()

    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert sorted(names(tmp_path)) == ["elsewhere", "folder"]


def test_a_folder_may_be_a_symbolic_link(database: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")

    run("dump", str(tmp_path / "link/dump"), DATABASE_URL=database)

    assert names(tmp_path / "folder") == ["dump"]


def test_another_name_of_the_same_file_keeps_the_old_dump(database: str, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "dump").hardlink_to(tmp_path / "old")

    run("dump", str(tmp_path / "dump"), DATABASE_URL=database)

    assert (tmp_path / "old").read_text() == "old"
    assert (tmp_path / "dump").read_bytes() == dump_of([])


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_dump_may_be_read_by_its_owner_or_as_the_old_one(
    database: str, tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "dump"

    run("dump", str(file), DATABASE_URL=database)
    assert file.stat().st_mode & 0o777 == 0o600

    file.chmod(mode)
    run("dump", str(file), DATABASE_URL=database)
    assert file.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_names_of_stdout_mean_stdout(database: str, tmp_path: Path, name: str) -> None:
    made = tmp_path / "made"
    command = ["dump", "--feature=probe", name]
    with made.open("ab") as out:
        out.write(b"before\n")
        out.flush()
        with start(command, {"DATABASE_URL": database}, stdout=out) as process:
            assert process.wait() == 0

    assert made.read_bytes() == b"before\n" + dump_of([])


def test_a_named_pipe_is_written_to(database: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with start(["dump", "--feature=probe", str(pipe)], {"DATABASE_URL": database}):
        assert pipe.read_bytes() == dump_of([])
    assert pipe.is_fifo()


def test_of_a_damaged_file_nothing_is_loaded(database: str, tmp_path: Path) -> None:
    damaged, after = tmp_path / "damaged.ndjson", tmp_path / "after.ndjson"
    damaged.write_bytes(dump_of(many(500))[:-1])

    check_line(run("load", str(damaged), DATABASE_URL=database), "line 501: ")
    assert run("dump", str(after), DATABASE_URL=database).stderr == "probe: 0 dumped\n"


def test_a_dump_that_fails_leaves_the_old_one(
    empty_database: Settings, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "dump"
    file.write_text("old")
    sample = Sample.new("x")
    sample.created_at = datetime(1969, 12, 31, tzinfo=UTC)

    async def add() -> None:
        async with open_storage(empty_database) as storage:
            await storage.repository(PROBE).add(sample)

    asyncio.run(add())

    failed = run("dump", str(file), DATABASE_URL=database)
    check_line(failed, f"probe {sample.id}: created_at: ")
    assert file.read_text() == "old"
    assert names(tmp_path) == [file.name]


def test_an_interrupted_dump_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "dump"
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
        (["dump", "{folder}/missing/dump"], "{folder}/missing/dump: "),
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

    check_line(run(*arguments, DATABASE_URL=database), named.format(folder=tmp_path))
    assert names(tmp_path) == []


@pytest.mark.usefixtures("revisions")
@pytest.mark.parametrize("command", ["dump", "load"])
def test_an_old_schema_is_told(empty_database: Settings, command: str) -> None:
    check_line(run(command, DATABASE_URL=url(empty_database)), "app migrate")
