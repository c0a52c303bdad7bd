"""The lines of a dump, read and verified."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID

from pydantic import ValidationError

from app.kit.dump.feature import Format, TransferError
from app.kit.dump.lines import CLOSING, DELETION, MAX_LINE, Checksum, parse
from app.kit.errors import ServiceError

BATCH_BYTES = 256 * 1024
"""The size of a batch: storing it takes a small part of an operation's time."""


@dataclass
class Batch:
    """Some records and deletions of a feature; ``size`` is that of their lines in bytes."""

    of: Format
    records: list[Any] = field(default_factory=list)
    deletions: list[UUID] = field(default_factory=list)
    size: int = 0
    numbers: dict[UUID, int] = field(default_factory=dict)
    """The line of each id."""

    def place(self, error: ServiceError) -> str:
        """Return where an error is: the line and the field if these are known."""
        if error.of:
            names = f": {', '.join(error.fields)}" if error.fields else ""
            return f"line {self.numbers[error.of]}{names}"
        first, last = min(self.numbers.values()), max(self.numbers.values())
        return f"lines {first} to {last}"


def first_feature(file: BinaryIO) -> str | None:
    """Read up to the first closing line, and return the name of its feature."""
    for line in iter(partial(file.readline, MAX_LINE), b""):
        if closing := CLOSING.fullmatch(line):
            return closing["name"].decode()
    return None


def read(formats: Sequence[Format], file: BinaryIO, first: str | None = None) -> Iterator[Batch]:
    """Yield the records of a dump; raise ``TransferError`` where it was altered or truncated.

    The last batch of a feature is yielded once its checksum is verified. ``first`` names the first
    feature; without it, the first line must fit exactly one of the formats.
    """
    reader, left = _Reader(file), {each.name: each for each in formats}
    line = reader.next_line()
    following: str | None = first or _fitting(formats, line)
    while following:
        if following not in left:
            raise TransferError(f"line {reader.number}: {following} cannot be loaded here")
        following = yield from reader.read_feature(left.pop(following), line)
        line = reader.next_line() if following else b""


def _fitting(formats: Sequence[Format], line: bytes) -> str:
    if closing := CLOSING.fullmatch(line):
        return closing["name"].decode()
    fitting = [each.name for each in formats if len(formats) == 1 or _fits(each, line)]
    if len(fitting) != 1:
        among = ", ".join(fitting or [each.name for each in formats])
        raise TransferError(f"line 1: Of {among}, it is not clear which it is: use --feature")
    return fitting[0]


def _fits(of: Format, line: bytes) -> bool:
    try:
        of.records.validate_json(line)
    except ValidationError:
        return False
    return True


class _Reader:
    """Reads lines and counts them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.number = file, 0

    def next_line(self) -> bytes:
        self.number += 1
        line = self._file.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise TransferError(f"line {self.number}: It is longer than {MAX_LINE:,} bytes")
        if not line.endswith(b"\n"):
            raise TransferError(f"line {self.number}: The dump was cut off: its end is missing")
        return line

    def read_feature(self, of: Format, line: bytes) -> Generator[Batch, None, str | None]:
        """Yield the records of a feature from ``line`` on, and return the name of the next one."""
        checksum, batch, last_id = Checksum(of.name), Batch(of), None
        while not (closing := CLOSING.fullmatch(line)):
            this_id = self._add(batch, line)
            if last_id is not None and this_id <= last_id:
                raise TransferError(f"line {self.number}: id: It is not above the one before")
            last_id = this_id
            checksum.add(line)
            batch.size += len(line)
            batch.numbers[this_id] = self.number
            if batch.size >= BATCH_BYTES:
                yield batch
                batch = Batch(of)
            line = self.next_line()
        following = (closing["next"] or b"").decode()
        if line != checksum.closing_line(following):
            raise TransferError(f"line {self.number}: The dump was altered: its checksum is wrong")
        if not following and self._file.read(1):
            raise TransferError(f"line {self.number + 1}: Nothing may follow the last line")
        yield batch
        return following

    def _add(self, batch: Batch, line: bytes) -> UUID:
        """Add what is on a line to the batch, and return its id."""
        if gone := DELETION.fullmatch(line):
            batch.deletions.append(UUID(gone[1].decode()))
            return batch.deletions[-1]
        record = parse(batch.of, line, f"line {self.number}")
        batch.records.append(record)
        this_id: UUID = record.id
        return this_id
