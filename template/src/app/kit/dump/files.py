"""Where dumps are written to and read from."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from errno import EBADF
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, TextIO

from app.kit.dump.feature import TransferError

STREAM = Path("-")
"""Stdin or stdout."""

OPEN_FILE = re.compile(r"/dev/(?:fd/([0-9]{1,9})|stdout|stderr)|/proc/self/fd/([0-9]{1,9})")
"""Paths of files that are already open."""
STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to.

    A regular file gets its name once all of it is on the disk. A symbolic link is not followed,
    and a file that holds no dump is not replaced: it may be the database. Raises ``TransferError``
    if the file cannot be written.
    """
    with _translate_errors("stdout" if path == STREAM else path), _target(path) as file:
        yield file


def _target(path: Path) -> AbstractContextManager[BinaryIO]:
    if path == STREAM:
        return _filling(_descriptor(sys.stdout))
    if match := OPEN_FILE.fullmatch(str(path)):
        return _filling(int(match[1] or match[2] or STANDARD[match[0]]))
    try:
        old = path.lstat()
    except FileNotFoundError:
        return _replacing(path)
    if stat.S_ISLNK(old.st_mode):
        raise TransferError(f"{path}: It is a symbolic link; name the file itself")
    if not stat.S_ISREG(old.st_mode):
        return _filling(path)
    if not _begins_like_a_dump(path):
        raise TransferError(f"{path}: It holds something else than a dump; name another file")
    return _replacing(path, old)


def _begins_like_a_dump(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) in (b"", b"{")


@contextmanager
def _replacing(path: Path, old: os.stat_result | None = None) -> Iterator[BinaryIO]:
    """Yield a new file with the permissions of the old one, or else readable by its owner only."""
    descriptor, name = mkstemp(prefix=".dump-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if old:
                _copy_access(old, descriptor)
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def _copy_access(old: os.stat_result, descriptor: int) -> None:
    with suppress(PermissionError):  # Then only its owner may read it.
        os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


@contextmanager
def _filling(place: Path | int) -> Iterator[BinaryIO]:
    """Yield a pipe or a device, which is written in place."""
    with open(place, "wb", closefd=isinstance(place, Path)) as file:
        try:
            yield file
        except BaseException:
            os.set_blocking(file.fileno(), False)  # close() must not wait for a reader.
            with suppress(OSError):
                file.close()
            if isinstance(place, int):
                os.set_blocking(place, True)  # Other programs use the terminal, too.
            raise


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to read from, or raise ``TransferError``."""
    with _translate_errors("stdin" if path == STREAM else path):
        place = _descriptor(sys.stdin) if path == STREAM else path
        with open(place, "rb", closefd=isinstance(place, Path)) as file:
            yield file


@contextmanager
def _translate_errors(place: object) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransferError(f"{place}: {error.strerror}") from None


def _descriptor(stream: TextIO | None) -> int:
    if stream is None:  # Its number may now belong to another file.
        raise OSError(EBADF, os.strerror(EBADF))
    return stream.fileno()


def regular_size(file: BinaryIO) -> int | None:
    """Return the size of a regular file in bytes; ``None`` for a pipe."""
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None
