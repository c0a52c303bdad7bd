"""`app dump` and `app load`, run as a person runs them."""

import asyncio
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE

import pytest

from app.kit.storage import open_storage
from app.settings import Settings
from tests.kit.commands import app, check_line
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE
from tests.kit.probe_dumps import dump_of, many
from tests.kit.running import start, with_samples
from tests.kit.support import url


@pytest.fixture
def database(empty_database: Settings) -> str:
    return with_samples(empty_database)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def run(command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return app(command, *arguments, **variables)


def begun(database: str, command: str) -> subprocess.Popen[bytes]:
    """Begin a command between two pipes."""
    pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
    return start([command], {"DATABASE_URL": database}, **pipes)


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
        process.stdin.write(dump_of(many(500))[:-1])  # Returns once most of it was read.
        process.stdin.flush()
        check_end(process)


def test_the_commands_take_files(database: str, tmp_path: Path) -> None:
    given, made = tmp_path / "given.ndjson", tmp_path / "made.ndjson"
    given.write_bytes(dump_of(many(7)))

    assert run("load", str(given), DATABASE_URL=database).stderr == "probe: 7 loaded\n"
    dump = run("dump", "--feature=probe", str(made), DATABASE_URL=database)
    assert dump.stderr == "probe: 7 dumped\n"

    assert made.read_bytes() == given.read_bytes()
    assert sorted(names(tmp_path)) == [given.name, made.name]


def test_changes_since_a_dump_are_loaded_from_a_file(database: str, tmp_path: Path) -> None:
    earlier, now, changes = (tmp_path / name for name in ("earlier", "now", "changes"))
    earlier.write_bytes(dump_of(many(5)))
    now.write_bytes(dump_of(many(4)))
    run("load", str(now), DATABASE_URL=database)

    dumped = run("dump", f"--since={earlier}", str(changes), DATABASE_URL=database)
    assert dumped.stderr == "probe: 1 dumped\n"
    run("load", str(earlier), DATABASE_URL=database)
    code, _, error = piped(database, "load", changes.read_bytes())
    assert (code, error.count(b"\n")) == (1, 1)


def test_of_a_damaged_file_nothing_is_loaded(database: str, tmp_path: Path) -> None:
    damaged, after = tmp_path / "damaged.ndjson", tmp_path / "after.ndjson"
    damaged.write_bytes(dump_of(many(500))[:-1])

    check_line(run("load", str(damaged), DATABASE_URL=database), "line 501: ")
    assert run("dump", str(after), DATABASE_URL=database).stderr == "probe: 0 dumped\n"


def test_a_dump_that_fails_leaves_the_old_one(
    empty_database: Settings, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "dump"
    file.write_text("{old}")
    sample = Sample.new("x")
    sample.created_at = datetime(1969, 12, 31, tzinfo=UTC)

    async def add() -> None:
        async with open_storage(empty_database) as storage:
            await storage.repository(PROBE).add(sample)

    asyncio.run(add())

    failed = run("dump", str(file), DATABASE_URL=database)
    check_line(failed, f"probe {sample.id}: created_at: ")
    assert file.read_text() == "{old}"
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
def test_an_old_schema_is_reported(empty_database: Settings, command: str) -> None:
    check_line(run(command, DATABASE_URL=url(empty_database)), "app migrate")
