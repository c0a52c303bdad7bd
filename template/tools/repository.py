"""What the tools ask of the project's git repository."""

import os
import subprocess
from collections.abc import Callable, Collection
from io import BytesIO
from pathlib import Path

from console import Refused

# Variables of git that say how to reach a repository; the others say which one it is.
KEPT = ("GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "GIT_EXEC_PATH")

FILE_MODES = ("100644", "100755")


def leave_other_repositories() -> None:
    """Have git use this folder's repository, whatever the environment says."""
    for name in [*os.environ]:
        if name.startswith("GIT_") and not name.startswith(KEPT):
            del os.environ[name]
    os.environ["GIT_OPTIONAL_LOCKS"] = "0"  # To look at the index does not write it.


def git(*arguments: str, fed: bytes = b"", allowed: Collection[int] = (0,)) -> bytes:
    """Return what git prints, or raise ``Refused``."""
    run = subprocess.run(["git", *arguments], input=fed, capture_output=True)
    if run.returncode not in allowed:
        lines = os.fsdecode(run.stderr).strip().splitlines()
        error = next((line for line in lines if line.startswith(("fatal:", "error:"))), "")
        raise Refused(f"git: {error or ' '.join(lines[:1])}")
    return run.stdout


def paths(command: str, *options: str) -> list[str]:
    """Return the paths that a command of git prints."""
    return os.fsdecode(git(command, "-z", *options)).split("\0")[:-1]


def prefix() -> str:
    """Return the path of this folder in the repository, with a slash at its end, if it is below."""
    return os.fsdecode(git("rev-parse", "--show-prefix")).removesuffix("\n")


def status(*options: str) -> dict[str, str]:
    """Return what git says of each uncommitted change in this folder, by its path from here."""
    listed = ["--untracked-files=normal", "--no-renames", *options, "--", "."]
    entries = paths("status", "--porcelain", *listed)
    above = len(prefix())
    return {entry[3 + above :] or ".": entry[:2] for entry in entries}


def refuse_unfinished_work(except_for: Collection[str] = ()) -> None:
    """Raise ``Refused`` unless everything else in this folder is committed."""
    unfinished = [path for path in status() if path not in except_for]
    refuse(unfinished, "not committed; commit or stash it first")
    if Path(os.fsdecode(git("rev-parse", "--git-path", "MERGE_HEAD").strip())).exists():
        raise Refused("A merge is in progress: commit it first.")


def committed(is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the files in this folder of the last commit, as git keeps them."""
    entries = [entry.split("\t", 1) for entry in paths("ls-tree", "-r", "HEAD", ".")]
    files = {name: about.split() for about, name in entries if is_wanted(name)}
    objects = {name: words[2] for name, words in files.items() if words[0] in FILE_MODES}
    printed = BytesIO(git("cat-file", "--batch", fed="\n".join(objects.values()).encode()))
    found = {}
    for name in objects:
        size = int(printed.readline().split()[-1])
        found[name] = printed.read(size + 1)[:-1]
    return found


def refuse(names: list[str], why: str) -> None:
    """Raise ``Refused`` if there are any such files."""
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise Refused(f"{', '.join(names[:3])}{more}: {why}.")
