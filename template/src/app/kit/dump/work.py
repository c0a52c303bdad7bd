"""Dumping and loading."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import BinaryIO

from app.kit.dump.feature import DumpedFeature, Format, TransferError
from app.kit.dump.lines import Checksum, lines, read
from app.kit.errors import ServiceError, Unavailable

Progress = Callable[[int, int], None]
"""Takes the number of records and of bytes since the last call."""

Counts = dict[str, int]
"""The number of records by feature."""


async def dump(features: Sequence[DumpedFeature], file: BinaryIO, progress: Progress) -> Counts:
    """Write all records and return how many there are.

    A record that could not be loaded again raises ``TransferError``.
    """
    counts = {}
    names = [feature.name for feature in features]
    try:
        for feature, following in zip(features, [*names[1:], None], strict=True):
            checksum = await _dump(feature, file, progress)
            file.write(checksum.closing_line(following))
            counts[feature.name] = checksum.lines
    except Unavailable as error:
        raise Unavailable(f"{error} The dump is incomplete; run it again.", error.reason) from error
    return counts


async def _dump(feature: DumpedFeature, file: BinaryIO, progress: Progress) -> Checksum:
    checksum = Checksum(feature.name)
    async with aclosing(feature.repository.dump()) as pages:
        async for page in pages:
            written = lines(feature, page)
            file.writelines(written)
            checksum.add(*written)
            progress(len(written), sum(map(len, written)))
            await _end_if_cancelled()
    return checksum


def check(
    formats: Sequence[Format], file: BinaryIO, progress: Progress, first: str | None = None
) -> None:
    """Read a whole dump; raise ``TransferError`` if it was altered or truncated."""
    for batch in read(formats, file, first):
        progress(len(batch.records), batch.size)


async def load(
    features: Sequence[DumpedFeature], file: BinaryIO, progress: Progress, first: str | None = None
) -> Counts:
    """Read a dump, store its records in their order, and return how many there are.

    What was stored before an error stays; loading is idempotent.
    """
    repositories = {feature.name: feature.repository for feature in features}
    counts: Counts = {}
    try:
        for batch in read(features, file, first):
            if batch.records:
                await repositories[batch.of.name].load(batch.records)
            counts[batch.of.name] = counts.get(batch.of.name, 0) + len(batch.records)
            progress(len(batch.records), batch.size)
            await _end_if_cancelled()
    except Unavailable as error:
        raise Unavailable(f"{error} {_loaded(counts)}; run it again.", error.reason) from error
    except TransferError as error:
        raise TransferError(f"{error}. {_loaded(counts)}.") from None
    except ServiceError as error:
        place = f"lines {batch.last_line - len(batch.records) + 1} to {batch.last_line}"
        raise TransferError(f"{place}: {error} {_loaded(counts)}.") from None
    return counts


def _loaded(counts: Counts) -> str:
    done = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{done or 'None'} were loaded"


async def _end_if_cancelled() -> None:
    """Have Ctrl-C end the command, also if a driver swallowed the cancellation."""
    await asyncio.sleep(0)
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
