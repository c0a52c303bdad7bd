"""Notes for tests: as clients write them, and as a dump has them."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import httpx2
from pydantic import TypeAdapter

from app.kit.dump.feature import Format
from app.kit.features import Feature
from app.kit.idempotency import FirstRequest, digest
from app.notes.models import CommentRecord, CommentRequest, NewNote, Note, Record
from tests.kit import dumps
from tests.kit.dumps import TIME, numbered

FEATURE = Feature("notes", "app.notes")
PATHS = ("/notes",)
"""Where they are."""

CONTENTS = [
    "\U0001f600" * 255,
    "\ufeff \t kept \r\n\u2028\x85 ",
    "x",
    "e\u0301" * 127,
    "'; DROP TABLE notes; -- \"\\%_{}$1:name? </script> %s 100%",
    "Stra\u00dfe STRASSE \u0131 \u0130 \x01\x1f\x7f\u200b",
    "\ud7ff\ue000\uffff\U0010ffff",
]
"""What databases are most likely to keep differently."""


def body(client: httpx2.Client, number: int = 0) -> dict[str, Any]:
    """Return the first or the second body."""
    return {"content": CONTENTS[number]}


def stored(client: httpx2.Client, number: int = 0) -> Any:
    """Return the first or second note, stored once."""
    key = {"Idempotency-Key": f"sample-{number}"}
    return client.post("/notes", json=body(client, number), headers=key).json()["data"]


def new_note(content: str) -> Note:
    """Return a note made now, with defaults for what else there is."""
    return Note.new(NewNote(content=content))


def record(number: int, content: str = "Buy oat milk") -> Record:
    note = replace(new_note(content), id=numbered(number), created_at=TIME, updated_at=TIME)
    return Record(**asdict(note))


def hard_records() -> list[Record]:
    """Return notes and comments with these contents, and with the limits of what else they have."""
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
    return [record(i, f"note {i}: {CONTENTS[0][:240]}") for i in range(number)]


def dump_of(records: list[Record]) -> bytes:
    return dumps.dump_of(records, Format("notes", TypeAdapter(Record)))
