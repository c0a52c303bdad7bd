"""What the tools ask of the project's git repository."""

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

# Variables of git that say how to reach a repository; the others say which one it is.
KEPT = ("GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "GIT_EXEC_PATH")


class TemplateError(Exception):
    """The command cannot be executed."""


def error_line(error: Exception) -> str:
    """Return an error as one line, since it may repeat what the user has typed."""
    return "Error: " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error))


def leave_other_repositories() -> None:
    """Have git use this folder's repository, whatever the environment says."""
    for name in [*os.environ]:
        if name.startswith("GIT_") and not name.startswith(KEPT):
            del os.environ[name]


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


def status(*options: str) -> list[str]:
    """Return the paths with uncommitted changes, in the whole repository."""
    entries = paths("status", "--porcelain", "--untracked-files=normal", "--no-renames", *options)
    return [entry[3:] for entry in entries]


def refuse_unfinished_work(except_for: Collection[str] = ()) -> None:
    """Raise ``TemplateError`` unless everything else is committed."""
    unfinished = [path for path in status() if path not in except_for]
    refuse(unfinished, "not committed; commit or stash it first")
    if Path(os.fsdecode(git("rev-parse", "--git-path", "MERGE_HEAD").strip())).exists():
        raise TemplateError("A merge is in progress: commit it first.")


def refuse(names: list[str], why: str) -> None:
    """Raise ``TemplateError`` if there are any such files."""
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise TemplateError(f"{', '.join(names[:3])}{more}: {why}.")
