"""Dumps for tests: hard ones, long ones, and what a feature dumps and loads."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

from pydantic import TypeAdapter

from app.kit.dump import work
from app.kit.dump.feature import DumpedFeature, Format
from app.kit.dump.lines import Checksum, lines
from app.kit.idempotency import digest
from app.notes.records import CommentRecord, CommentRequest, NoteRequest, Record

NOTES = Format("notes", TypeAdapter(Record))
TIME = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
CONTENTS = [
    "x",
    "\U0001f600" * 255,
    "e\u0301" * 127,
    "\ufeff \t kept \r\n\u2028\x85 ",
    "\x01\x1f\x7f\u200b",
    "\\\"' {}/</script> %s 100%",
    "\ud7ff\ue000\uffff\U0010ffff",
]


def quiet(records: int, size: int) -> None:
    """Tell nobody."""


def numbered(number: int) -> UUID:
    """Return an id of always the same millisecond."""
    return UUID(int=0x019B7E4A4A2E7 << 76 | 0b10 << 62 | number)


def record(number: int, content: str = "Buy oat milk") -> Record:
    return Record(numbered(number), content, 0, 1, TIME, TIME, [])


def hard_records() -> list[Record]:
    """Return what databases are most likely to keep differently."""
    found = [record(number, content) for number, content in enumerate(CONTENTS)]
    found[0].created_at = datetime(1970, 1, 1, tzinfo=UTC)
    found[1].updated_at = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    found[2].times_sent = found[2].version = 2**31 - 1
    found[3].idempotency = NoteRequest("~!k'\"\\", digest("its first content"))
    found[4].comments = [
        CommentRecord(numbered(1000 + i), CONTENTS[i % len(CONTENTS)], TIME) for i in range(100)
    ]
    found[4].comments[7].idempotency = CommentRequest("k" * 255, 2**31 - 1)
    return found


def many(number: int) -> list[Record]:
    """Return notes with lines of more than a thousand bytes."""
    return [record(i, f"note {i}: {CONTENTS[1][:240]}") for i in range(number)]


def dump_of(records: list[Record]) -> bytes:
    seal = Checksum(NOTES.name)
    seal.add(*(written := lines(NOTES, records)))
    return b"".join(written) + seal.last_line()


async def dumped(feature: DumpedFeature) -> bytes:
    file = BytesIO()
    await work.dump(feature, file, quiet)
    return file.getvalue()


async def loaded(feature: DumpedFeature, dump: bytes) -> int:
    return await work.load(feature, BytesIO(dump), quiet)
