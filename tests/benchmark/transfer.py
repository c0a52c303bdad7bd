"""Notes a second and memory of `app dump` and `app load`, beside the textbook's way.

Run by the interpreter of a generated adaptable project, with ``TEST_POSTGRES_URL``. The textbook's
way loads only some of the notes: it takes a statement or two for each.
"""

import argparse
import os
import subprocess
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from services import HERE, PROGRAMS, filled

LEAST_RATE, MOST_MEMORY = 10_000, 300


class Run(NamedTuple):
    """What a command took: notes a second, and the most memory in MB."""

    rate: float
    memory: float


APP = PROGRAMS / "app"
TEXTBOOK = (PROGRAMS / "python", HERE / "textbook_transfer.py")


def measure(notes: int, url: str, *command: Path | str) -> Run:
    """Run a command on a database."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"It failed: {command}")
    return Run(notes / (time.perf_counter() - began), usage.ru_maxrss / 1024)


def measure_all(folder: Path, notes: int, sample: int) -> dict[str, Run]:
    """Carry the notes from PostgreSQL to another such database and to SQLite."""
    runs = {}
    dump, other, part = folder / "dump", folder / "other", folder / "part"
    with filled("postgres", notes, notes * 9 // 10) as url:
        runs["dump, PostgreSQL"] = measure(notes, url, APP, "dump", dump)
        textbook = measure(notes, url, *TEXTBOOK, "dump", other)
        runs["dump, textbook on PostgreSQL"] = textbook
    with other.open() as lines, part.open("w") as some:
        some.writelines(islice(lines, sample))
    with filled("postgres", 0, 0) as url:
        runs["load, PostgreSQL"] = measure(notes, url, APP, "load", dump)
    with filled("postgres", 0, 0) as url:
        textbook = measure(sample, url, *TEXTBOOK, "load", part)
        runs["load, textbook on PostgreSQL"] = textbook
    with filled("sqlite", 0, 0) as url:
        runs["load, SQLite"] = measure(notes, url, APP, "load", dump)
        runs["dump, SQLite"] = measure(notes, url, APP, "dump", other)
    if dump.read_bytes() != other.read_bytes():
        raise SystemExit("The dumps differ.")
    return runs


def table(runs: dict[str, Run]) -> str:
    """Return the runs as a table in Markdown."""
    lines = ["| what | notes a second | ÷ textbook | MB |", "|---|---:|---:|---:|"]
    for title, run in runs.items():
        baseline = runs[f"{title.partition(',')[0]}, textbook on PostgreSQL"]
        ratio = run.rate / baseline.rate
        lines.append(f"| {title} | {run.rate:,.0f} | {ratio:.1f} | {run.memory:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print; whatever the numbers, this ends with 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--notes", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=20_000, help="notes that the textbook loads")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        runs = measure_all(Path(folder), options.notes, options.sample)
    print(
        f"{options.notes:,} notes; at least {LEAST_RATE:,} a second in at most {MOST_MEMORY} MB.\n"
    )
    print(table(dict(sorted(runs.items()))))


if __name__ == "__main__":
    main()
