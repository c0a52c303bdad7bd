"""Dumping and loading."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import BinaryIO
from uuid import UUID

from app.kit.dump.changes import Changes, Deletions, Earlier, delete
from app.kit.dump.feature import DumpedFeature, Format, TransferError
from app.kit.dump.lines import Checksum, lines
from app.kit.dump.reading import read
from app.kit.errors import ServiceError, Unavailable

Progress = Callable[[int, int], None]
"""Takes the number of records and of bytes since the last call."""

Counts = dict[str, int]
"""The number of records by feature."""


async def dump(
    features: Sequence[DumpedFeature],
    file: BinaryIO,
    progress: Progress,
    earlier: Earlier | None = None,
) -> Counts:
    """Write all records, or what differs from an earlier dump; return how many lines there are.

    A record that could not be loaded again raises ``TransferError``.
    """
    counts = {}
    names = [feature.name for feature in features]
    try:
        for feature, following in zip(features, [*names[1:], None], strict=True):
            changes = earlier.changes(feature, following) if earlier else None
            checksum = await _dump(feature, file, progress, changes)
            file.write(checksum.closing_line(following))
            counts[feature.name] = checksum.lines
    except Unavailable as error:
        raise Unavailable(f"{error} The dump is incomplete; run it again.", error.reason) from error
    return counts


async def _dump(
    feature: DumpedFeature, file: BinaryIO, progress: Progress, changes: Changes | None
) -> Checksum:
    checksum = Checksum(feature.name)
    to_lines = changes.lines if changes else partial(lines, feature)
    async with aclosing(feature.repository.dump()) as pages:
        async for page in pages:
            written = to_lines(page)
            file.writelines(written)
            checksum.add(*written)
            progress(len(page), sum(map(len, written)))
            await _end_if_cancelled()
    for line in changes.rest() if changes else ():
        file.write(line)
        checksum.add(line)
    return checksum


def check(
    formats: Sequence[Format], file: BinaryIO, progress: Progress, first: str | None = None
) -> Deletions:
    """Read a whole dump; return its deletions.

    Raises ``TransferError`` if it was altered or truncated.
    """
    gone: dict[str, list[UUID]] = {}
    for batch in read(formats, file, first):
        gone.setdefault(batch.of.name, []).extend(batch.deletions)
        progress(len(batch.records), batch.size)
    return gone


async def load_and_delete(
    features: Sequence[DumpedFeature],
    file: BinaryIO,
    progress: Progress,
    first: str | None,
    gone: Deletions,
) -> Counts:
    """Load a dump, and delete what it says is gone.

    A record that others refer to is deleted after these were loaded, and else before, as a new
    record may have its unique value.
    """
    kept = await delete(features, gone)
    counts = await load(features, file, progress, first)
    for name, ids in (await delete(features, kept)).items():
        raise TransferError(f"{name} {ids[0]}: It is gone, but others here refer to it.")
    return counts


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
            if batch.deletions and not file.seekable():
                raise TransferError("Load changes from a file: they are read twice")
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
        raise TransferError(f"{batch.place(error)}: {error} {_loaded(counts)}.") from None
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
