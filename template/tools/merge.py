"""A merge of the template into this project by Copier, which loses nothing of the owner's work."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copier import VcsRef, run_recopy, run_update
from plumbum import local
from repository import git, paths, refuse, status
from revisions import as_generated

ANSWERS = ".copier-answers.yml"
SAVED = Path("saved")

# Copier needs git to list new files, to apply every line, to quote names, and to run no hooks.
CONFIGURATION = {
    "status.showUntrackedFiles": "normal",
    "apply.whitespace": "nowarn",
    "core.attributesFile": os.devnull,
    "core.bigFileThreshold": "512m",
    "core.quotePath": "true",
    "core.hooksPath": os.devnull,
}


def merge(target: dict[str, Any], **asking: Any) -> list[Path]:
    """Have Copier merge ``target``; return the copies of edited files that it removed."""
    for name in local.env.getdict().keys() - os.environ.keys():
        del local.env[name]  # It is a copy of the environment, made at import.
    with (
        TemporaryDirectory() as old_folder,
        TemporaryDirectory() as new_folder,
        local.env(**configured()),  # By plumbum, Copier runs git.
    ):
        old, new = Path(old_folder), Path(new_folder)
        render(old, vcs_ref=VcsRef.CURRENT)
        render(new, **target)
        if (old / ANSWERS).read_bytes() == (new / ANSWERS).read_bytes():
            return []
        refuse_what_would_be_lost(old, new)
        run_update(overwrite=True, quiet=True, **target, **asking)
        gone = paths("diff", "--relative", "--no-renames", "--name-only", "--diff-filter=D", "HEAD")
        return save_edited(gone, old)


def render(folder: Path, **target: Any) -> None:
    """Render the template with this project's answers."""
    (folder / ANSWERS).write_bytes(Path(ANSWERS).read_bytes())
    run_recopy(folder, defaults=True, overwrite=True, quiet=True, **target)


def refuse_what_would_be_lost(*made: Path) -> None:
    """Raise ``TemplateError`` if Copier would damage a file, or lose an edit."""
    all_made = {path.relative_to(m) for m in made for path in m.rglob("*") if path.is_file()}
    here = sorted(path for path in all_made if os.path.lexists(path))
    links = [path for path in here if is_behind_link(path, *made)]
    links += [path for path in (SAVED, *SAVED.rglob("*")) if path.is_symlink()]
    refuse(
        [str(path) for path in links], "by a symbolic link; only files in their place are written"
    )
    seen = {name[2:] for name in paths("ls-files", "-v") if name[0].isupper() and name[0] != "S"}
    seen -= set(paths("ls-files", "--cached", "--ignored", "--exclude-standard"))
    hidden = [str(path) for path in here if str(path) not in seen and is_edited(path, *made)]
    refuse(
        hidden,
        "of the template too, but git ignores or overlooks it; commit or move it",
    )
    refuse([str(path) for path in here if not is_text(path)], "no UTF-8; only text can be merged")
    rejected = [name for name in status("--ignored") if name.endswith(".rej")]
    rejected += [f"{path}.rej" for path in here if f"{path}.rej" in seen]
    refuse(rejected, "would be taken for a conflict; delete it first")


def is_behind_link(path: Path, *made: Path) -> bool:
    """Return whether a change of the template would be written through a symbolic link."""
    as_made = {(made_in / path).exists() and (made_in / path).read_bytes() for made_in in made}
    return any(folder.is_symlink() for folder in path.parents) or (
        path.is_symlink() and len(as_made) > 1
    )


def is_edited(path: Path, *made: Path) -> bool:
    """Return whether a file differs from what the template made."""
    as_made = [folder / path for folder in made if (folder / path).exists()]
    return not any(path.read_bytes() == other.read_bytes() for other in as_made)


def is_text(path: Path) -> bool:
    """Return whether a file is text; Copier damages others."""
    try:
        return not path.is_file() or "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False


def configured() -> dict[str, str]:
    """Return the environment that sets git's ``CONFIGURATION``, above the owner's."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(first + len(CONFIGURATION))}
    for number, (name, value) in enumerate(CONFIGURATION.items(), start=first):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def save_edited(gone: list[str], old: Path) -> list[Path]:
    """Copy removed files that the owner had edited to ``SAVED``."""
    saved = []
    for name in gone:
        text, made = git("show", f"HEAD:./{name}"), old / name
        if not made.exists() or as_generated(text) != as_generated(made.read_bytes()):
            saved.append(SAVED / f"{name}.saved")
            saved[-1].parent.mkdir(parents=True, exist_ok=True)
            saved[-1].write_bytes(text)
    return saved
