"""Dumps of samples."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from app.kit.dump.feature import Format
from tests.kit import dumps
from tests.kit.dumps import TIME, numbered
from tests.kit.probe.models import Record

PROBE_FORMAT = Format("probe", TypeAdapter(Record))


def sample(number: int, content: str = "x") -> Record:
    return Record(numbered(number), content, 1, TIME)


def many(number: int) -> list[Record]:
    """Return samples with lines of more than a thousand bytes."""
    return [sample(i, f"{i}: {chr(0x1F600) * 240}") for i in range(number)]


def dump_of(records: Sequence[Any], of: Format = PROBE_FORMAT) -> bytes:
    return dumps.dump_of(records, of)
