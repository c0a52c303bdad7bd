"""The owner's files: what must not be lost of them, and how a merge is written to them."""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from merge import Files, Merge, merge, write
from repository import git, paths, prefix, refuse
from revisions import as_generated

SAVED = Path("saved")


def refuse_what_would_be_lost(old: Files, new: Files) -> None:
    """Raise ``Refused`` if git could not bring back a file that may be written."""
    names = sorted(old.keys() | new.keys())
    obstacles = [name for name in names if _is_behind_other(Path(name))]
    here = [name for name in names if os.path.lexists(name)]
    changed = [name for name in here if old.get(name) != new.get(name)]
    obstacles += [name for name in changed if Path(name).is_symlink()]
    obstacles += [str(path) for path in (SAVED, *SAVED.rglob("*")) if path.is_symlink()]
    refuse(obstacles, "by a symbolic link, or a file for a folder; put it in its place")
    seen = {name[2:] for name in paths("ls-files", "-v") if name[0].isupper() and name[0] != "S"}
    unseen = [name for name in here if name not in seen and not Path(name).is_symlink()]
    hidden = [name for name in unseen if _content(Path(name)) not in (old.get(name), new.get(name))]
    refuse(hidden, "of the template too, but git ignores or overlooks it; commit or move it")


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b"\0"


def _is_behind_other(path: Path) -> bool:
    folders = list(path.parents)[:-1]
    return any(f.is_symlink() or (f.exists() and not f.is_dir()) for f in folders)


@contextmanager
def copy_in(folder: Path) -> Iterator[None]:
    """Work in a clone of the repository, so that nothing changes here."""
    top = os.fsdecode(git("rev-parse", "--show-toplevel")).removesuffix("\n")
    hooks = f"--config=core.hooksPath={os.devnull}"
    git("clone", "--quiet", "--shared", hooks, "--", top, str(folder))
    with chdir(folder / prefix()):
        yield


def merge_generated(old: Files, new: Files) -> tuple[Merge, set[str]]:
    """Return what the change of a generator's files makes of those here, and which of them stay.

    Those stay that were here already, or that were edited and are not generated any more.
    """
    refuse_what_would_be_lost(old, new)
    mine = {name: Path(name).read_bytes() for name in old | new if Path(name).exists()}
    there = {name for name in mine if name not in old and mine[name] != new[name]}
    gone = mine.keys() - new.keys()
    edited = {name for name in gone if as_generated(mine[name]) != as_generated(old[name])}
    stay = there | edited
    old, mine, new = ({n: f[n] for n in f.keys() - stay} for f in (old, mine, new))
    return merge(old, mine, new, {}), stay


def apply(merged: Merge, made: Path, before: Path) -> None:
    """Write the result of a merge, and have git know of its conflicts."""
    delete([*merged.removed, *merged.moved])
    write(merged.written)
    for name in _executables(made) - _executables(before):
        path = Path(name)
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o111)
    _mark(merged)


def delete(names: list[str]) -> None:
    """Delete files, and folders that are empty then."""
    for name in names:
        Path(name).unlink(missing_ok=True)
        folder = Path(name).parent
        while folder.name and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def _executables(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files if os.access(path, os.X_OK)}


def _mark(merged: Merge) -> None:
    lines = []
    for name, versions in merged.conflicts.items():
        lines.append(f"0 {'0' * 40}\t{prefix()}{name}")
        for stage, text in enumerate(versions, start=1):
            identifier = git("hash-object", "-w", "--no-filters", "--stdin", fed=text).decode()
            lines.append(f"100644 {identifier.strip()} {stage}\t{prefix()}{name}")
    if lines:
        git("update-index", "--index-info", fed="\n".join(lines).encode() + b"\n")


def save_edited(merged: Merge, old: Files) -> list[Path]:
    """Copy removed files that the owner had edited to ``SAVED``; return the copies."""
    saved = {
        f"{SAVED}/{name}.saved": text
        for name, text in merged.removed.items()
        if name not in old or as_generated(text) != as_generated(old[name])
    }
    write(saved)
    return [Path(name) for name in saved]
