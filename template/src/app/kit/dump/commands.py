"""The commands that dump and load."""

import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from app.kit.dump import work
from app.kit.dump.changes import Deletions, Earlier
from app.kit.dump.feature import choose
from app.kit.dump.files import STREAM, reading, regular_size, writing
from app.kit.dump.progress import progress_bar
from app.kit.dump.reading import first_feature
from app.kit.service import on_storage, read_settings
from app.kit.storage import Storage

FeatureName = Annotated[
    str | None, typer.Option("--feature", help="Only this feature; by default all.")
]


def dump(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; - is stdout.")] = STREAM,
    feature: FeatureName = None,
    since: Annotated[
        Path | None, typer.Option(help="An earlier dump: write only what has changed since.")
    ] = None,
) -> None:
    """Write a snapshot of all records as NDJSON, the same text on every database."""
    _end_on_signals()

    async def run(storage: Storage) -> None:
        chosen = choose(feature, context.obj.features, storage)
        await storage.check()
        with (
            reading(since) if since else nullcontext() as old,
            writing(file) as target,
            progress_bar("Dumping") as progress,
        ):
            async with storage.one_snapshot():
                dumped = await work.dump(chosen, target, progress, Earlier(old) if old else None)
        _report(dumped, "dumped")

    on_storage(read_settings(context), run)


def load(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where from; - is stdin.")] = STREAM,
    feature: FeatureName = None,
) -> None:
    """Store what is in a dump; a record with the same id is replaced, others stay."""
    _end_on_signals()

    async def run(storage: Storage) -> None:
        chosen = choose(feature, context.obj.features, storage)
        await storage.check()
        with reading(file) as source:
            size, first, gone = regular_size(source), None, Deletions()
            if size is not None:
                begin = source.tell()
                first = first_feature(source)
                source.seek(begin)
                with progress_bar("Checking", size) as progress:
                    gone = work.check(chosen, source, progress, first)
                source.seek(begin)
            with progress_bar("Loading", size) as progress:
                loaded = await work.load_and_delete(chosen, source, progress, first, gone)
        _report(loaded, "loaded")

    on_storage(read_settings(context), run)


def _report(counts: work.Counts, done: str) -> None:
    for name, count in counts.items():
        typer.echo(f"{name}: {count} {done}", err=True)


def _end_on_signals() -> None:
    """Have Ctrl-C and SIGTERM also interrupt a wait for a pipe, and leave no unfinished file."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


COMMANDS = (dump, load)
