"""The progress of a command, on stderr if that is a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.kit.dump.work import Progress


@contextmanager
def progress_bar(title: str, size: int | None = None) -> Iterator[Progress]:
    """Yield a function that shows progress; without a ``size`` in bytes, the bar has no end."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield lambda records, size: None
        return
    from rich import progress as rich  # Imported here, as it takes 0.1 s.
    from rich.console import Console

    columns = (rich.TextColumn("{task.description}"), rich.BarColumn())
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, began, done = bar.add_task(title, total=size), time.monotonic(), 0

        def show(records: int, size: int) -> None:
            nonlocal done
            done += records
            rate = done / (time.monotonic() - began)
            description = f"{title}: {done:,} ({rate:,.0f} a second)"
            bar.update(task, advance=size, description=description)

        yield show
