"""The lines of a dump, written and read."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any, BinaryIO

from pydantic import ValidationError

from app.kit.dump.feature import Format, TransferError

MAX_LINE = 128 * 1024 * 1024
"""In bytes, written and read: above MongoDB's largest document, of 16 MiB, escaped throughout."""
MAX_PLACE = 100  # characters of an error, as a damaged file may name its fields anything
BATCH_BYTES = 256 * 1024
"""Of the lines that are stored at once; that takes a small part of what an operation may."""


class Checksum:
    """Counts lines and keeps their checksum, for the last line."""

    PATTERN = re.compile(rb'\{"\w+":[0-9]+,"sha256":"[0-9a-f]{64}"\}\n')

    def __init__(self, name: str) -> None:
        self._name, self._digest = name, sha256()
        self.lines = self.size = 0

    def add(self, *lines: bytes) -> None:
        """Take lines into account."""
        for line in lines:
            self._digest.update(line)
            self.size += len(line)
        self.lines += len(lines)

    def last_line(self) -> bytes:
        """Return the line that ends a dump of what was added."""
        fields = {self._name: self.lines, "sha256": self._digest.hexdigest()}
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


@dataclass
class Batch:
    """Some lines of a dump, read."""

    records: list[Any] = field(default_factory=list)
    size: int = 0
    """In bytes."""


def lines(of: Format, records: Iterable[Any]) -> list[bytes]:
    """Return the lines of records; one that could not be read again raises ``TransferError``."""
    return [_line(of, record) for record in records]


def _line(of: Format, record: Any) -> bytes:
    place = f"{of.name} {record.id}"
    try:
        line = of.records.dump_json(record)
    except ValueError as error:
        raise TransferError(f"{place}: {error}") from None
    if len(line) >= MAX_LINE:
        raise TransferError(f"{place}: It is longer than {MAX_LINE:,} bytes")
    _parse(of, line, place)
    return line + b"\n"


def read(of: Format, file: BinaryIO) -> Iterator[Batch]:
    """Yield the records of a dump; raise ``TransferError`` where it is not as it was written.

    The last of them come once the whole dump is known to be good.
    """
    seal, batch, last_id = Checksum(of.name), Batch(), None
    for number in count(1):
        line = _next(file, number)
        if seal.PATTERN.fullmatch(line):
            break
        record = _parse(of, line, f"line {number}")
        if last_id is not None and record.id <= last_id:
            raise TransferError(
                f"line {number}: id: It does not come after that of line {number - 1}"
            )
        last_id = record.id
        seal.add(line)
        batch.records.append(record)
        batch.size += len(line)
        if batch.size >= BATCH_BYTES:
            yield batch
            batch = Batch()
    if line != seal.last_line():
        raise TransferError(f"line {number}: count or checksum is wrong: the dump was altered")
    if file.read(1):
        raise TransferError(f"line {number + 1}: Nothing may follow the last line")
    yield batch


def _next(file: BinaryIO, number: int) -> bytes:
    line = file.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE:
        raise TransferError(f"line {number}: It is longer than {MAX_LINE:,} bytes")
    if not line.endswith(b"\n"):
        raise TransferError(f"line {number}: The dump was cut off: its last line is missing")
    return line


def _parse(of: Format, line: bytes, place: str) -> Any:
    try:
        return of.records.validate_json(line, strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])).encode("unicode_escape").decode()[:MAX_PLACE]
        told = f"{where}: {first['msg']}" if where else first["msg"]
        raise TransferError(f"{place}: {told}") from None
