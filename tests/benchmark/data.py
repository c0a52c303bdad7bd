"""The notes that every database is filled with, as a dump."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

NOW = datetime.now(UTC).replace(microsecond=0)
COMMENTED = 1000
"""How many of the notes of a first page, and of a deep one, have comments, two each."""


def note_id(back: int, serial: int = 0) -> UUID:
    """Return a UUIDv7 made ``back`` seconds ago."""
    milliseconds = (int(NOW.timestamp()) - back) * 1000
    return UUID(int=milliseconds << 80 | 0x70008 << 60 | serial)


def write_dump(path: Path, notes: int, depth: int) -> None:
    """Write a dump of so many notes, oldest first, one a second, the last of them now."""
    checksum = hashlib.sha256()
    with path.open("wb") as file:
        for line in _lines(notes, depth):
            checksum.update(line)
            file.write(line)
        file.write(b'{"notes":%d,"sha256":"%s"}\n' % (notes, checksum.hexdigest().encode()))


def _lines(notes: int, depth: int) -> Iterator[bytes]:
    for back in reversed(range(notes)):
        commented = 0 <= back < COMMENTED or depth <= back < depth + COMMENTED
        time = _text(NOW - timedelta(seconds=back))
        note = {
            "id": str(note_id(back)),
            "content": f"Note {back}: buy oat milk and call the plumber before six",
            "times_sent": 0,
            "version": 1,
            "created_at": time,
            "updated_at": time,
            "comments": [_comment(back, number) for number in (1, 2) if commented],
        }
        yield json.dumps(note, separators=(",", ":")).encode() + b"\n"


def _comment(back: int, number: int) -> dict[str, Any]:
    content = f"Comment {number}: the garden is free on the 12th"
    return {"id": str(note_id(back, number)), "content": content, "created_at": _text(NOW)}


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S.000Z}"
