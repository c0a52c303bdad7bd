"""A three-way merge of folders: what the template made, what is here, and what it makes now."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from repository import git

Files = dict[str, bytes]
"""The texts of files by their paths."""

LABELS = ("before updating", "last update", "after updating")


@dataclass(frozen=True)
class Merge:
    """What changes here."""

    written: Files = field(default_factory=dict)
    removed: Files = field(default_factory=dict)
    conflicts: dict[str, tuple[bytes, bytes, bytes]] = field(default_factory=dict)
    """Of each file with a conflict: the old version, the one here, and the new one."""
    missed: list[str] = field(default_factory=list)
    """Files that the template changed and that are not here any more."""
    moved: dict[str, str] = field(default_factory=dict)
    """Where the template has moved files that are here."""


def merge(old: Files, mine: Files, new: Files, moves: dict[str, str]) -> Merge:
    """Merge the change from ``old`` to ``new`` into ``mine``.

    ``moves`` are files that the template moved. Files and whole folders that are not here any
    more do not come back.
    """
    merged = Merge()
    base, here = (
        {moves.get(name, name): text for name, text in files.items()} for files in (old, mine)
    )
    for name in sorted(base.keys() | new.keys()):
        before, own, after = base.get(name), here.get(name), new.get(name)
        if after is None and own is not None:
            merged.removed[name] = own
        elif own is not None and after is not None:
            _merge_file(merged, name, before or b"", own, after)
        elif before is None and after is not None and not _is_in_deleted_folder(name, base, here):
            merged.written[name] = after
        elif own is None and after not in (None, before):
            merged.missed.append(name)
    for source in moves.keys() & mine.keys():
        merged.moved[source] = moves[source]
        merged.written.setdefault(moves[source], mine[source])
    return merged


def _merge_file(merged: Merge, name: str, before: bytes, own: bytes, after: bytes) -> None:
    if b"\r\n" in own and b"\r\n" not in before and b"\0" not in own:  # An editor of Windows.
        before, after = (text.replace(b"\n", b"\r\n") for text in (before, after))
    if before == after or own == after:
        return
    text, is_clean = (after, True) if own == before else three_ways(own, before, after)
    merged.written[name] = text
    if not is_clean:
        merged.conflicts[name] = (before, own, after)


def _is_in_deleted_folder(name: str, base: Files, here: Files) -> bool:
    """Return whether a new file is in a folder that the owner has deleted."""
    folders = [f"{folder}/" for folder in PurePosixPath(name).parents if folder.name]
    made = [folder for folder in folders if any(n.startswith(folder) for n in base)]
    return any(not any(n.startswith(folder) for n in here) for folder in made)


def three_ways(mine: bytes, old: bytes, new: bytes) -> tuple[bytes, bool]:
    """Return the merge of two changes of a text, and whether they do not contradict.

    What is not text cannot be merged: it stays.
    """
    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("mine", "old", "new")]
        for file, text in zip(files, (mine, old, new), strict=True):
            file.write_bytes(text)
        labels = [f"-L{label}" for label in LABELS]
        command = ["git", "merge-file", "-p", *labels, *map(str, files)]
        run = subprocess.run(command, capture_output=True)
        return run.stdout if run.returncode < 128 else mine, run.returncode == 0


def renames(folder: Path, old: str, new: str) -> dict[str, str]:
    """Return the files that have other names in one of two folders than in the other."""
    options = ["--no-index", "--no-ext-diff", "-M", "-l0", "--diff-filter=R", "--name-status", "-z"]
    printed = os.fsdecode(git("-C", str(folder), "diff", *options, old, new, allowed=(0, 1)))
    words = printed.split("\0")[:-1]
    pairs = zip(words[1::3], words[2::3], strict=True)
    return {a.removeprefix(f"{old}/"): b.removeprefix(f"{new}/") for a, b in pairs}


def read(folder: Path) -> Files:
    """Return the files of a folder."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def write(files: Files, folder: Path = Path()) -> None:
    """Write files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
