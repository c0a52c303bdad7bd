"""What the tools print."""

import re
import sys
from collections.abc import Collection
from pathlib import Path


class Refused(Exception):
    """The command cannot be executed; the message is one line."""


def error_line(error: BaseException) -> str:
    """Return an error with its notes as one line; it may repeat what the user has typed."""
    said, notes = str(error), "".join(getattr(error, "__notes__", ()))
    if isinstance(error, KeyboardInterrupt):
        return f"Interrupted.{notes}"
    if not isinstance(error, Refused):  # If git failed, its message counts.
        said = re.sub(r"[\s|]+", " ", said.rpartition("Stderr:")[2]).strip()
    said = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in said)
    return f"Error: {said.rstrip('.')}.{notes}" if notes else f"Error: {said}"


def announce(work: str) -> None:
    """Say at a terminal what begins now and takes a while."""
    if sys.stderr.isatty():
        print(work, file=sys.stderr)


def show(title: str, names: Collection[Path] | Collection[str]) -> None:
    """Print a list under its title, if there is anything in it."""
    if names:
        print(title, *sorted(map(str, names)), sep="\n    ")
