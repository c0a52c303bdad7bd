"""How far a command is, on stderr if that is a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.kit.dump.work import Tell


@contextmanager
def progress_bar(title: str, size: int | None = None) -> Iterator[Tell]:
    """Yield what to tell the progress; without a ``size`` in bytes, the bar only moves."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield lambda records, done: None
        return
    from rich.console import Console  # Here, as it takes a tenth of a second.
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task, began = progress.add_task(title, total=size), time.monotonic()

        def tell(records: int, done: int) -> None:
            rate = records / (time.monotonic() - began)
            description = f"{title}: {records:,} ({rate:,.0f} a second)"
            progress.update(task, completed=done, description=description)

        yield tell
