"""What the tools ask of the project's git repository."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

# Variables of git that say how to reach a repository; the others say which one it is.
KEPT = ("GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "GIT_EXEC_PATH")

FILE_MODES = ("100644", "100755")


class TemplateError(Exception):
    """The command cannot be executed."""


def error_line(error: Exception) -> str:
    """Return an error as one line, since it may repeat what the user has typed."""
    return "Error: " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error))


def announce(work: str) -> None:
    """Say at a terminal what begins now and takes a while."""
    if sys.stderr.isatty():
        print(work, file=sys.stderr)


def leave_other_repositories() -> None:
    """Have git use this folder's repository, whatever the environment says."""
    for name in [*os.environ]:
        if name.startswith("GIT_") and not name.startswith(KEPT):
            del os.environ[name]
    os.environ["GIT_OPTIONAL_LOCKS"] = "0"  # To look at the index does not write it.


def git(*arguments: str, fed: bytes = b"", allowed: Collection[int] = (0,)) -> bytes:
    """Return what git prints, or raise ``TemplateError``."""
    run = subprocess.run(["git", *arguments], input=fed, capture_output=True)
    if run.returncode not in allowed:
        lines = os.fsdecode(run.stderr).strip().splitlines()
        error = next((line for line in lines if line.startswith(("fatal:", "error:"))), "")
        raise TemplateError(f"git: {error or ' '.join(lines[:1])}")
    return run.stdout


def paths(command: str, *options: str) -> list[str]:
    """Return the paths that a command of git prints."""
    return os.fsdecode(git(command, "-z", *options)).split("\0")[:-1]


def status(*options: str) -> dict[str, str]:
    """Return what git says of each uncommitted change in this folder, by its path from here."""
    above = len(os.fsdecode(git("rev-parse", "--show-prefix").strip()))
    listed = ["--untracked-files=normal", "--no-renames", *options, "--", "."]
    entries = paths("status", "--porcelain", *listed)
    return {entry[3 + above :] or ".": entry[:2] for entry in entries}


def refuse_unfinished_work(except_for: Collection[str] = ()) -> None:
    """Raise ``TemplateError`` unless everything else in this folder is committed."""
    unfinished = [path for path in status() if path not in except_for]
    refuse(unfinished, "not committed; commit or stash it first")
    if Path(os.fsdecode(git("rev-parse", "--git-path", "MERGE_HEAD").strip())).exists():
        raise TemplateError("A merge is in progress: commit it first.")


def committed(is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the files in this folder of the last commit, as git keeps them."""
    found = {}
    for entry in paths("ls-tree", "-r", "HEAD", "."):
        about, name = entry.split("\t", 1)
        mode, _, identifier = about.split()
        if mode in FILE_MODES and is_wanted(name):
            found[name] = identifier
    return dict(zip(found, blobs([*found.values()]), strict=True))


def blobs(identifiers: list[str]) -> list[bytes]:
    """Return the content of objects."""
    printed = git("cat-file", "--batch", fed="\n".join(identifiers).encode())
    contents = []
    for _ in identifiers:
        header, _, printed = printed.partition(b"\n")
        size = int(header.split()[-1])
        contents.append(printed[:size])
        printed = printed[size + 1 :]
    return contents


def refuse(names: list[str], why: str) -> None:
    """Raise ``TemplateError`` if there are any such files."""
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise TemplateError(f"{', '.join(names[:3])}{more}: {why}.")
