"""A merge of the template into this project by Copier, in which nothing of the owner's is lost."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copier import VcsRef, run_recopy, run_update
from plumbum import local
from revisions import as_generated

ANSWERS = ".copier-answers.yml"
SAVED = Path("saved")

# What Copier's merge needs of git: to see each file, to take each line, and no hook of the owner's.
CONFIGURATION = {
    "status.showUntrackedFiles": "all",
    "apply.whitespace": "nowarn",
    "core.hooksPath": os.devnull,
}


class TemplateError(Exception):
    """What was asked for cannot be done."""


def git(*arguments: str) -> bytes:
    """Return what git prints, or raise ``TemplateError``."""
    run = subprocess.run(["git", *arguments], capture_output=True)
    if run.returncode:
        first_line = os.fsdecode(run.stderr).strip().partition("\n")[0]
        raise TemplateError(f"git: {first_line}")
    return run.stdout


def paths(command: str, *options: str) -> list[str]:
    """Return the paths that a command of git prints, as seen from here."""
    return os.fsdecode(git(command, "-z", *options)).split("\0")[:-1]


def changed() -> list[str]:
    """Return the files that are not as they were committed."""
    entries = paths("status", "--porcelain", "--untracked-files=all", "--no-renames")
    return [entry[3:] for entry in entries]


def refuse_unfinished_work() -> None:
    """Raise ``TemplateError`` unless all is committed."""
    refuse(changed(), "not committed; commit or stash it first")
    if Path(os.fsdecode(git("rev-parse", "--git-path", "MERGE_HEAD").strip())).exists():
        raise TemplateError("A merge is under way: commit it first.")


def merge(target: dict[str, Any], **asking: Any) -> list[Path]:
    """Have Copier merge what ``target`` says, and return the copies of edited files that went."""
    with TemporaryDirectory() as old, TemporaryDirectory() as new:
        of_template = render(Path(old), vcs_ref=VcsRef.CURRENT) | render(Path(new), **target)
        refuse_what_would_be_lost(of_template)
        with local.env(**configured()):  # By plumbum, Copier runs git.
            run_update(overwrite=True, quiet=True, **target, **asking)
        gone = paths("diff", "--relative", "--no-renames", "--name-only", "--diff-filter=D", "HEAD")
        return save_edited(gone, Path(old))


def render(folder: Path, **target: Any) -> set[str]:
    """Make what the template has for this project's answers, and return the paths."""
    (folder / ANSWERS).write_bytes(Path(ANSWERS).read_bytes())
    run_recopy(folder, defaults=True, overwrite=True, quiet=True, **target)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def refuse_what_would_be_lost(of_template: set[str]) -> None:
    """Raise ``TemplateError`` if Copier would spoil a file, or one that git cannot bring back."""
    here = sorted(name for name in of_template if os.path.lexists(name))
    seen = {name[2:] for name in paths("ls-files", "-v") if name[0].isupper() and name[0] != "S"}
    hidden = [name for name in here if name not in seen]
    refuse(hidden, "the template's too, but hidden from git; commit or move it first")
    refuse([name for name in here if not is_text(Path(name))], "no UTF-8; only text can be merged")
    rejected = paths("ls-files", "--cached", "--others", "--", "*.rej")
    refuse(rejected, "would be taken for a conflict; delete it first")


def refuse(names: list[str], why: str) -> None:
    """Raise ``TemplateError`` if there are any such files."""
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise TemplateError(f"{', '.join(names[:3])}{more}: {why}.")


def is_text(path: Path) -> bool:
    """Tell whether Copier can merge a file; it spoils others."""
    try:
        return not path.is_file() or "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False


def configured() -> dict[str, str]:
    """Return the environment by which git has ``CONFIGURATION``, whatever the owner's says."""
    first = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    variables = {"GIT_CONFIG_COUNT": str(first + len(CONFIGURATION))}
    for number, (name, value) in enumerate(CONFIGURATION.items(), start=first):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def save_edited(gone: list[str], old: Path) -> list[Path]:
    """Write the files that are not as the template had made them to ``SAVED``."""
    saved = []
    for name in gone:
        text, made = git("show", f"HEAD:./{name}"), old / name
        if not made.exists() or as_generated(text) != as_generated(made.read_bytes()):
            saved.append(SAVED / f"{name}.saved")
            saved[-1].parent.mkdir(parents=True, exist_ok=True)
            saved[-1].write_bytes(text)
    return saved
