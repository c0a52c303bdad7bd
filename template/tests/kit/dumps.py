"""Dumps for tests: what is in them, and how a feature makes and takes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from app.kit.dump import work
from app.kit.dump.feature import DumpedFeature, Format
from app.kit.dump.lines import Checksum, lines

TIME = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def quiet(records: int, size: int) -> None:
    """Show no progress."""


def numbered(number: int) -> UUID:
    """Return an id of always the same millisecond."""
    return UUID(int=0x019B7E4A4A2E7 << 76 | 0b10 << 62 | number)


def dump_of(records: Sequence[Any], of: Format) -> bytes:
    checksum = Checksum(of.name)
    checksum.add(*(written := lines(of, records)))
    return b"".join(written) + checksum.closing_line()


async def dumped(feature: DumpedFeature) -> bytes:
    file = BytesIO()
    await work.dump([feature], file, quiet)
    return file.getvalue()


async def loaded(feature: DumpedFeature, dump: bytes) -> int:
    return (await work.load([feature], BytesIO(dump), quiet))[feature.name]
