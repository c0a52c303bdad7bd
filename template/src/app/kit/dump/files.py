"""Where dumps are written to and read from."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EBADF
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, TextIO

from app.kit.dump.feature import TransferError


@contextmanager
def writing(path: Path | None) -> Iterator[BinaryIO]:
    """Yield a file to write to: stdout, or one that takes its name once all of it is on the disk.

    What the system refuses raises ``TransferError``.
    """
    try:
        if path and (path.is_file() or not path.exists()):
            with _replacing(Path(os.path.realpath(path))) as file:
                yield file
        else:
            with _filling(path or _descriptor(sys.stdout)) as file:
                yield file
    except OSError as error:
        raise TransferError(f"{path or 'stdout'}: {error.strerror}") from None


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    descriptor, name = mkstemp(prefix=".dump-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


@contextmanager
def _filling(place: Path | int) -> Iterator[BinaryIO]:
    """Yield a pipe or a device, which is written to as it is."""
    with open(place, "wb", closefd=isinstance(place, Path)) as file:
        try:
            yield file
        except BaseException:
            os.set_blocking(file.fileno(), False)  # Nobody may read what closing would still write.
            with suppress(OSError):
                file.close()
            if isinstance(place, int):
                os.set_blocking(place, True)  # A terminal is that of other programs, too.
            raise


@contextmanager
def reading(path: Path | None) -> Iterator[BinaryIO]:
    """Yield a file to read from, by default stdin.

    What the system refuses raises ``TransferError``.
    """
    try:
        with open(path or _descriptor(sys.stdin), "rb", closefd=path is not None) as file:
            yield file
    except OSError as error:
        raise TransferError(f"{path or 'stdin'}: {error.strerror}") from None


def _descriptor(stream: TextIO | None) -> int:
    if stream is None:  # Its number may be that of another file by now.
        raise OSError(EBADF, os.strerror(EBADF))
    return stream.fileno()


def regular_size(file: BinaryIO) -> int | None:
    """Return the bytes of a file that can be read twice, ``None`` for a pipe."""
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None
