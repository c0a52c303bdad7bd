"""What all workers of a run share: made by the first that needs it, and copied by the others."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path

import yaml

ANSWERS = ".copier-answers.yml"

Make = Callable[[Path], None]


def once(folder: Path, make: Make) -> Path:
    """Have a shared folder made, unless it is there, and return it."""
    with folder.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # Until it is closed.
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder


def render_once(
    kind: str, template: str, ref: str, answers: Mapping[str, str], folder: Path, make: Make
) -> None:
    """Fill a folder with what a tag of a template makes of answers; ``make`` renders it.

    The same commit makes the same in each clone of the template, except for the address. A kind is
    a way to render.
    """
    command = ["git", "-C", template, "rev-parse", f"{ref}^{{commit}}"]
    commit = subprocess.run(command, check=True, capture_output=True).stdout
    kept = sorted((name, value) for name, value in answers.items() if name != "_src_path")
    key = sha256(repr((kind, commit, ref, kept)).encode()).hexdigest()[:16]
    made = once(Path(os.environ["TEST_RENDERS"]) / key, make)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    text = (folder / ANSWERS).read_text()
    here, there = map(address_line, (yaml.safe_load(text)["_src_path"], template))
    assert text.count(here) == 1, f"{here!r} is not in {text!r}"
    (folder / ANSWERS).write_text(text.replace(here, there))


def address_line(address: str) -> str:
    """Return the line of a template's address as Copier writes it."""
    return str(yaml.safe_dump({"_src_path": address}, indent=4, allow_unicode=True))
