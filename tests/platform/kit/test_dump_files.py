"""Where a dump may be written to, and what is left of the old one."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.kit.dump.feature import TransferError
from app.kit.dump.files import STREAM, reading, writing
from app.settings import Settings
from tests.kit.commands import app, check_line
from tests.kit.probe_dumps import dump_of
from tests.kit.running import start, with_samples


@pytest.fixture
def database(empty_database: Settings) -> str:
    return with_samples(empty_database)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def run(command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return app(command, "--feature=probe", *arguments, **variables)


@pytest.mark.parametrize(("stream", "use"), [("stdin", reading), ("stdout", writing)])
def test_a_closed_stream_is_reported(
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    use: Callable[[Path], AbstractContextManager[object]],
) -> None:
    monkeypatch.setattr(sys, stream, None)

    with pytest.raises(TransferError, match=f"{stream}: Bad file descriptor"), use(STREAM):
        pass


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
    (tmp_path / "old").write_text("{old}")
    (tmp_path / "dump").hardlink_to(tmp_path / "old")

    run("dump", str(tmp_path / "dump"), DATABASE_URL=database)

    assert (tmp_path / "old").read_text() == "{old}"
    assert (tmp_path / "dump").read_bytes() == dump_of([])


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b"KEY=value\n", b"\0", b"\n{}", b"[{}]"])
def test_a_file_that_is_no_dump_is_not_replaced(
    database: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "precious").write_bytes(content)

    made = run("dump", str(tmp_path / "precious"), DATABASE_URL=database)

    check_line(made, f"{tmp_path / 'precious'}: It holds something else than a dump")
    assert (tmp_path / "precious").read_bytes() == content
    assert names(tmp_path) == ["precious"]


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


def test_an_interrupted_dump_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_text("{old}")

    def dump_and_interrupt() -> None:
        with writing(file) as new:
            new.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dump_and_interrupt()

    assert file.read_text() == "{old}"
    assert names(tmp_path) == [file.name]
