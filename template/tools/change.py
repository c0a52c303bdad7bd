"""One change of a project: the difference of two renders of the template, merged into it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import answers_file as answers
from merge import Files, Merge, merge, renames, write
from renders import rendered
from repository import committed, paths
from revisions import VERSIONS, about_removed, follow_own
from worktree import SAVED, apply, copy_of, refuse_what_would_be_lost, save_edited

OWN = ("src/", "tests/", f"{SAVED}/", answers.FILE)


@dataclass(frozen=True)
class Change:
    """What has changed: what the template made, what was here, and what it makes now."""

    old: Files
    mine: Files
    new: Files
    merged: Merge
    answers: str
    saved: list[Path]
    """Copies of removed files with edits."""
    left_out: set[str]
    """New revisions that are about what the owner has removed."""
    renamed: dict[str, str]
    """Files that the owner seems to have renamed."""
    notes: list[str]
    features: str
    """What is left to do in the features that ``make feature`` made, to print."""
    is_finished: bool
    """Whether there are no conflicts."""


@contextmanager
def change(text: str, *, is_update: bool, is_dry: bool, **target: Any) -> Iterator[Change | None]:
    """Merge a target into the project; yield what has changed, if anything has.

    ``text`` is the file of present answers. A dry run does it to a copy, and works there.
    """
    with rendered(text, **target) as (folder, old, new):
        given = new.pop(answers.FILE)
        if given == Path(answers.FILE).read_bytes():
            yield None
            return
        del old[answers.FILE]
        old = {name: text for name, text in old.items() if not _may_be_applied(name, new)}
        mine = committed(lambda name: name in old or name in new or name.startswith(OWN))
        write(mine, folder / "mine")
        left_out = about_removed(old, mine, new)
        made = {name: text for name, text in new.items() if name not in left_out}
        moves = renames(folder, "old", "new") if is_update else {}
        moves = {name: to for name, to in moves.items() if to not in mine}
        refuse_what_would_be_lost(old, made)
        merged = merge(old, mine, made, moves)
        merged.written[answers.FILE] = given  # It is Copier's alone.
        with copy_of(mine, folder / "copy") if is_dry else nullcontext():
            apply(merged, folder / "new", folder / "old")
            saved, notes = save_edited(merged, old), list(follow_own(set(paths("ls-files"))))
            renamed = renames(folder, "old", "mine") if merged.missed else {}
            after = given.decode()
            left, is_clean = _follow()
            is_finished = is_clean and not merged.conflicts
            yield Change(
                old, mine, made, merged, after, saved, left_out, renamed, notes, left, is_finished
            )


def _may_be_applied(name: str, new: Files) -> bool:
    """Return whether a file is a revision that is gone, for databases that the service still has.

    Databases may have it, so it stays.
    """
    if name in new or not fnmatch(name, VERSIONS):
        return False
    kind = PurePosixPath(name).parts[3]
    return f"src/app/kit/migrations/{kind}/__init__.py" in new


def _follow() -> tuple[str, bool]:
    """Have generated features follow; return what is left to do, and whether nothing conflicts.

    The tools on disk are other ones now than those that run, so theirs is another process.
    """
    if not any(Path().glob("src/app/*/feature.toml")):
        return "", True
    command = [sys.executable, "-B", "tools/feature.py", "follow"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    return run.stdout, run.returncode == 0
