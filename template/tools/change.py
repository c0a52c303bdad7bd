"""One change of a project: the difference of two renders of the template, merged into it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import answers_file as answers
from merge import Files, Merge, merge, renames, write
from renders import rendered
from repository import committed, paths
from revisions import VERSIONS, about_removed, follow_own
from worktree import SAVED, apply, copy_in, refuse_what_would_be_lost, save_edited

OWN = ("src/", "tests/", f"{SAVED}/", answers.FILE)


@dataclass
class Change:
    """What changes: what the template made, what was here, and what it makes now."""

    old: Files
    mine: Files
    new: Files
    merged: Merge
    answers: str
    left_out: set[str]
    """New revisions that are about what the owner has removed."""
    renamed: dict[str, str]
    """Files that the owner seems to have renamed."""
    saved: list[Path] = field(default_factory=list)
    """Copies of removed files with edits."""
    notes: list[str] = field(default_factory=list)
    features: str = ""
    """What is left to do in the features that ``make feature`` made, to print."""
    is_finished: bool = False
    """Whether there are no conflicts."""


@contextmanager
def change(text: str, *, is_update: bool, is_dry: bool, **target: Any) -> Iterator[Change | None]:
    """Merge a target into the project; yield what has changed, if anything has.

    ``text`` is the file of present answers. A dry run does it to a copy, and works there.
    """
    with rendered(text, **target) as (folder, old, new):
        if new[answers.FILE] == Path(answers.FILE).read_bytes():
            yield None
            return
        changed = _planned(folder, old, new, is_update=is_update)
        with copy_in(folder / "copy") if is_dry else nullcontext():
            _execute(changed, folder)
            yield changed


def _planned(folder: Path, old: Files, new: Files, *, is_update: bool) -> Change:
    given = new.pop(answers.FILE)
    old = {n: t for n, t in old.items() if n != answers.FILE and not _may_be_applied(n, new)}
    mine = committed(lambda name: name in old or name in new or name.startswith(OWN))
    left_out = about_removed(old, mine, new)
    new = {name: text for name, text in new.items() if name not in left_out}
    moves = renames(folder, "old", "new") if is_update else {}
    moves = {name: to for name, to in moves.items() if to not in mine}
    refuse_what_would_be_lost(old, new)
    merged = merge(old, mine, new, moves)
    merged.written[answers.FILE] = given  # It is Copier's alone.
    renamed = {}
    if merged.missed:
        write(mine, folder / "mine")
        renamed = renames(folder, "old", "mine")
    return Change(old, mine, new, merged, given.decode(), left_out, renamed)


def _may_be_applied(name: str, new: Files) -> bool:
    """Return whether a file is a revision that is gone, for databases that the service still has.

    Databases may have it, so it stays.
    """
    if name in new or not fnmatch(name, VERSIONS):
        return False
    kind = PurePosixPath(name).parts[3]
    return f"src/app/kit/migrations/{kind}/__init__.py" in new


def _execute(changed: Change, folder: Path) -> None:
    """Write the change, and have generated features follow.

    The tools on disk are other ones now than those that run, so theirs is another process.
    """
    merged = changed.merged
    apply(merged, folder / "new", folder / "old")
    changed.saved = save_edited(merged, changed.old)
    changed.notes = [*follow_own(set(paths("ls-files")))]
    changed.is_finished = not merged.conflicts
    if any(Path().glob("src/app/*/feature.toml")):
        command = [sys.executable, "-B", "tools/feature.py", "follow"]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        changed.features = run.stdout
        changed.is_finished &= run.returncode == 0
