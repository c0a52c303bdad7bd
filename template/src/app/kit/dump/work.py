"""Dumping and loading."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import BinaryIO

from app.kit.dump.feature import DumpedFeature, Format, TransferError
from app.kit.dump.lines import Checksum, lines, read
from app.kit.errors import ServiceError, Unavailable

Tell = Callable[[int, int], None]
"""Is told how many records and how many bytes are done."""


async def dump(feature: DumpedFeature, file: BinaryIO, tell: Tell) -> int:
    """Write all records and return how many there are.

    One that could not be loaded again raises ``TransferError``.
    """
    seal = Checksum(feature.name)
    try:
        async with aclosing(feature.repository.dump()) as pages:
            async for page in pages:
                written = lines(feature, page)
                file.writelines(written)
                seal.add(*written)
                tell(seal.lines, seal.size)
                await _end_if_cancelled()
    except Unavailable as error:
        raise Unavailable(f"{error} The dump is incomplete; run it again.", error.reason) from error
    file.write(seal.last_line())
    return seal.lines


def check(of: Format, file: BinaryIO, tell: Tell) -> None:
    """Read a whole dump and raise ``TransferError`` unless it is as it was written."""
    records = size = 0
    for batch in read(of, file):
        records, size = records + len(batch.records), size + batch.size
        tell(records, size)


async def load(feature: DumpedFeature, file: BinaryIO, tell: Tell) -> int:
    """Read a dump, store its records in their order, and return how many there are.

    What was stored before an error stays; loading the same again does no harm.
    """
    records = size = 0
    try:
        for batch in read(feature, file):
            if batch.records:
                await feature.repository.load(batch.records)
            records, size = records + len(batch.records), size + batch.size
            tell(records, size)
            await _end_if_cancelled()
    except Unavailable as error:
        told = f"{error} {records} {feature.name} were loaded; run it again."
        raise Unavailable(told, error.reason) from error
    except TransferError as error:
        raise TransferError(f"{error}. {records} {feature.name} were loaded.") from None
    except ServiceError as error:
        place = f"lines {records + 1} to {records + len(batch.records)}"
        raise TransferError(f"{place}: {error} {records} {feature.name} were loaded.") from None
    return records


async def _end_if_cancelled() -> None:
    """Let Ctrl-C end the command, also where a driver has swallowed the cancellation."""
    await asyncio.sleep(0)
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
