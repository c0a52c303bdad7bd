"""The lines of a dump: written, and parsed again one by one."""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.kit.dump.feature import Format, TransferError

MAX_LINE = 128 * 1024 * 1024
"""In bytes: more than the largest document, of 16 MiB, with every character escaped."""
MAX_PLACE = 100  # characters, as a damaged file may have any names of fields

CLOSING = re.compile(
    rb'\{"(?P<name>\w+)":[0-9]+,"sha256":"[0-9a-f]{64}"(?:,"next":"(?P<next>\w+)")?\}\n'
)
"""The line after the records of a feature; it names the feature that comes next, if one does."""

DELETION = re.compile(rb'\{"deleted":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"\}\n')
"""In a dump of changes, the line for a record that is gone, at the place of its id."""


class Checksum:
    """Counts the lines of a feature and keeps their checksum, for the closing line."""

    def __init__(self, name: str) -> None:
        self._name, self._digest = name, sha256()
        self.lines = 0

    def add(self, *lines: bytes) -> None:
        """Count lines and add them to the checksum."""
        for line in lines:
            self._digest.update(line)
        self.lines += len(lines)

    def closing_line(self, following: str | None = None) -> bytes:
        """Return the closing line; ``following`` is the next feature."""
        fields = {self._name: self.lines, "sha256": self._digest.hexdigest()}
        if following:
            fields["next"] = following
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def lines(of: Format, records: Iterable[Any]) -> list[bytes]:
    """Return the lines of records; one that could not be loaded again raises ``TransferError``."""
    return [_line(of, record) for record in records]


def _line(of: Format, record: Any) -> bytes:
    place = f"{of.name} {record.id}"
    try:
        line = of.records.dump_json(record)
    except ValueError as error:
        raise TransferError(f"{place}: {error}") from None
    if len(line) >= MAX_LINE:
        raise TransferError(f"{place}: It is longer than {MAX_LINE:,} bytes")
    parse(of, line, place)
    return line + b"\n"


def deletion(this_id: UUID) -> bytes:
    """Return the line for a record that is gone."""
    return b'{"deleted":"%b"}\n' % str(this_id).encode()


def parse(of: Format, line: bytes, place: str) -> Any:
    """Return the record on a line, or raise ``TransferError``, which begins with the place."""
    try:
        return of.records.validate_json(line, strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])).encode("unicode_escape").decode()[:MAX_PLACE]
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise TransferError(f"{place}: {problem}") from None
