"""What the template makes of this project's answers, in folders of their own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import answers_file as answers
from console import announce
from copier import VcsRef, run_recopy
from merge import Files, read
from plumbum import local

# The template's files are to be as they are there, and no hook is to run.
CONFIGURATION = {
    "core.autocrlf": "false",
    "core.attributesFile": os.devnull,
    "core.hooksPath": os.devnull,
}


@contextmanager
def rendered(text: str, **target: Any) -> Iterator[tuple[Path, Files, Files]]:
    """Yield a folder, the files of the present version, and those of a target.

    They are in the folder too, below ``old`` and ``new``. Questions without an answer are asked
    at a terminal.
    """
    announce("Rendering the present version of the template, and the new one.")
    asking = {"defaults": not sys.stdin.isatty(), "skip_answered": True}
    with TemporaryDirectory() as name, own_git():
        folder = Path(name)
        render(folder / "old", text, defaults=True, vcs_ref=VcsRef.CURRENT)
        render(folder / "new", text, **asking, **target)
        yield folder, read(folder / "old"), read(folder / "new")


def rendered_now(text: str) -> Files:
    """Return the files of the present version."""
    announce("Rendering the present version of the template.")
    with TemporaryDirectory() as name, own_git():
        folder = Path(name) / "now"
        render(folder, text, defaults=True, vcs_ref=VcsRef.CURRENT)
        return read(folder)


@contextmanager
def own_git() -> Iterator[None]:
    """Have Copier run git as is right here; it does so by plumbum."""
    for name in local.env.getdict().keys() - os.environ.keys():
        del local.env[name]  # It is a copy of the environment, made at import.
    with local.env(**configured()):
        yield


def render(folder: Path, text: str, **target: Any) -> None:
    """Render the template with the answers of a file."""
    folder.mkdir()
    (folder / answers.FILE).write_text(text, encoding="utf-8")
    run_recopy(folder, overwrite=True, quiet=True, **target)


def configured() -> dict[str, str]:
    """Return the environment that sets git's ``CONFIGURATION``, above the owner's."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(first + len(CONFIGURATION))}
    for number, (name, value) in enumerate(CONFIGURATION.items(), start=first):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
