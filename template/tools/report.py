"""What a newer version, or another answer, has changed in a project, for its owner to read."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from pathlib import Path

import answers_file as answers
from change import Change
from modules import stale_imports
from repository import status
from revisions import VERSIONS, as_generated
from settings import settings

Block = tuple[str, Collection[str]]


def show(title: str, names: Collection[Path] | Collection[str]) -> None:
    """Print a list under its title, if there is anything in it."""
    if names:
        print(title, *sorted(map(str, names)), sep="\n    ")


def show_change(changed: Change, before: str, asked: Collection[str] = ()) -> None:
    """Print what has changed: files, and what concerns those who deploy.

    Answers that were ``asked`` for are known to them.
    """
    print(*changed.notes, sep="\n", end="\n" if changed.notes else "")
    for title, names in _files(changed):
        show(title, names)
    to_deploy = [block for block in _to_deploy(changed, before, asked) if block[1]]
    if to_deploy:
        print("Before you deploy:")
    for title, names in to_deploy:
        show(title, names)


def show_left(changed: Change) -> None:
    """Print what is left to do."""
    show("Removed files with your edits; copies are in:", changed.saved)
    renamed = [(name, changed.renamed.get(name)) for name in changed.merged.missed]
    show(
        "The template changed these files, which you renamed; nothing was changed in yours:",
        [f"{name} -> {other}" for name, other in renamed if other],
    )
    show("Your files import modules that are gone:", stale_imports(changed))
    print(changed.features, end="")
    show("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", changed.merged.conflicts)


def _files(changed: Change) -> Iterator[Block]:
    found = status("--untracked-files=all")
    conflicts, moved = changed.merged.conflicts, changed.merged.moved
    for title, letter in {"added": "?", "changed": "M", "removed": "D"}.items():
        names = {name for name, code in found.items() if letter in code}
        yield f"Files {title}:", names - conflicts.keys() - moved.keys() - set(moved.values())
    edited = {a for a in moved if as_generated(changed.mine[a]) != as_generated(changed.old[a])}
    yield "Files moved:", [f"{a} -> {moved[a]}" for a in moved.keys() - edited]
    yield "Files moved, with your edits:", [f"{a} -> {moved[a]}" for a in edited]


def _to_deploy(changed: Change, before: str, asked: Collection[str]) -> Iterator[Block]:
    found = status("--untracked-files=all")
    brought = [n for n, code in found.items() if "?" in code and fnmatch(n, VERSIONS)]
    yield "Revisions, which `app migrate` applies:", brought
    yield "Revisions left out, as they are about what you removed:", changed.left_out
    old, new = settings(changed.old), settings(changed.new)
    yield "Settings that are new:", [f"{name}={new[name]}" for name in new.keys() - old.keys()]
    yield "Settings that are gone:", old.keys() - new.keys()
    other = [name for name in old.keys() & new.keys() if old[name] != new[name]]
    yield "Settings with another default:", [f"{n}={new[n]} (it was {old[n]})" for n in other]
    known, given = answers.values(before), answers.values(changed.answers)
    names = [n for n in given if n[0] != "_" and n not in asked and given[n] != known.get(n)]
    yield "Answers, which `make answer` changes:", [f"{name}={given[name]}" for name in names]
