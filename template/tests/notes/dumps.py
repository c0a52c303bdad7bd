"""Dumps of notes for tests."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from app.kit.dump.feature import Format
from app.kit.idempotency import FirstRequest, digest
from app.notes.models import CommentRecord, CommentRequest, Record
from tests.kit import dumps
from tests.kit.dumps import TIME, numbered
from tests.notes.made import new_note

NOTES = Format("notes", TypeAdapter(Record))
CONTENTS = [
    "x",
    "\U0001f600" * 255,
    "e\u0301" * 127,
    "\ufeff \t kept \r\n\u2028\x85 ",
    "\x01\x1f\x7f\u200b",
    "\\\"' {}/</script> %s 100%",
    "\ud7ff\ue000\uffff\U0010ffff",
]


def record(number: int, content: str = "Buy oat milk") -> Record:
    note = replace(new_note(content), id=numbered(number), created_at=TIME, updated_at=TIME)
    return Record(**asdict(note))


def hard_records() -> list[Record]:
    """Return what databases are most likely to keep differently."""
    found = [record(number, content) for number, content in enumerate(CONTENTS)]
    found[0].created_at = datetime(1970, 1, 1, tzinfo=UTC)
    found[1].updated_at = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    found[2].times_sent = found[2].version = 2**31 - 1
    found[3].idempotency = FirstRequest("~!k'\"\\", digest("its first content"))
    found[4].comments = [
        CommentRecord(numbered(1000 + i), CONTENTS[i % len(CONTENTS)], TIME) for i in range(100)
    ]
    found[4].comments[7].idempotency = CommentRequest("k" * 255, 2**31 - 1)
    return found


def many(number: int) -> list[Record]:
    """Return notes with lines of more than a thousand bytes."""
    return [record(i, f"note {i}: {CONTENTS[1][:240]}") for i in range(number)]


def dump_of(records: list[Record]) -> bytes:
    return dumps.dump_of(records, NOTES)
