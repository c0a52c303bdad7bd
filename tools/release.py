"""Checks what docs/releasing.md asks of a release, and prepares its commit, tag and notes.

``make release VERSION=1.3.0`` runs it on a clean ``main``. Nothing is pushed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
QUESTIONS = "copier.yml"
REVISIONS = "template/src/app/migrations/*/versions/*.py"

# Variables of git that say who commits, or how to reach a repository; not which one it is.
KEPT = ("GIT_CONFIG_", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSH")

Version = tuple[int, ...]


class ReleaseError(Exception):
    """The release cannot be made."""


def git(*arguments: str) -> str:
    """Return what git prints, or raise ``ReleaseError``."""
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        raise ReleaseError(f"git: {' '.join(run.stderr.split())}")
    return run.stdout.strip()


def parsed(version: str) -> Version:
    """Return the numbers of a version."""
    if not re.fullmatch(r"v?(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise ReleaseError("Say which: make release VERSION=1.3.0")
    return tuple(map(int, version.removeprefix("v").split(".")))


def last_release() -> str:
    """Return the newest tag of a release, if there is one."""
    tags = git("tag", "--list", "v*").split()
    numbered = [tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    return max(numbered, key=parsed, default="")


def problems(version: Version, last: str) -> Iterator[str]:
    """Yield what speaks against a release, found without running tests."""
    if git("status", "--porcelain"):
        yield "Not everything is committed."
    if git("rev-parse", "--abbrev-ref", "HEAD") != "main":
        yield "A release is made on the branch main."
    if not unreleased()[1].strip():
        yield "CHANGELOG.md says nothing in its section Unreleased."
    if not last:
        return
    if version <= parsed(last):
        yield f"{last} is released already; the version must be greater."
    is_major = version[0] > parsed(last)[0]
    for line in broken_promises(last):
        if not is_major:
            yield f"{line} That takes a major version."
    yield from without_default(last)
    options = ["--name-only", "--no-renames", "--diff-filter=MD"]
    for name in git("diff", *options, last, "--", REVISIONS).split():
        yield f"{name} was released in {last}, so it cannot change."


def questions(release: str) -> dict[str, dict[str, Any]]:
    """Return the questions of the template in a commit."""
    found = yaml.safe_load(git("show", f"{release}:{QUESTIONS}"))
    return {name: asked for name, asked in found.items() if not name.startswith("_")}


def choices(question: dict[str, Any]) -> set[Any]:
    """Return the values that a question can be answered with."""
    given = question.get("choices") or []
    return set(given.values() if isinstance(given, dict) else given)


def broken_promises(last: str) -> Iterator[str]:
    """Yield the questions, types and values of answers that are not what they were."""
    old, new = questions(last), questions("HEAD")
    for name, question in old.items():
        if name not in new:
            yield f"The question {name} is gone."
            continue
        if question.get("type") != new[name].get("type"):
            yield f"The question {name} has another type."
        for value in sorted(choices(question) - choices(new[name]), key=str):
            yield f"{value} is no answer to {name} any more."


def without_default(last: str) -> Iterator[str]:
    """Yield the new questions that would stop an update without a terminal."""
    old, new = questions(last), questions("HEAD")
    for name in new.keys() - old.keys():
        if "default" not in new[name]:
            yield f"The new question {name} has no default."


def unreleased() -> tuple[str, str, str]:
    """Return the changelog up to its section Unreleased, what that says, and the rest."""
    before, _, after = CHANGELOG.read_text(encoding="utf-8").partition("## Unreleased\n")
    notes, heading, rest = after.partition("\n## ")
    return before, notes, heading + rest


def prepare(tag: str) -> None:
    """Give the changelog's section its number, commit it, and tag the commit with it as notes."""
    before, notes, rest = unreleased()
    heading = f"## Unreleased\n\n## {tag.removeprefix('v')} ({date.today()})\n"
    CHANGELOG.write_text(before + heading + notes + rest, encoding="utf-8")
    git("commit", "--quiet", "--message", f"Release {tag}", "--", str(CHANGELOG))
    message = f"{tag}\n\n{notes.strip()}\n"
    git("tag", "--annotate", "--cleanup=verbatim", tag, "--message", message)


def release(version: str) -> None:
    """Make a release, or raise ``ReleaseError`` with what speaks against it, line by line."""
    number = parsed(version)
    if found := list(problems(number, last_release())):
        raise ReleaseError("\n".join(found))
    print("Running make check test, which takes a while.", flush=True)
    if subprocess.run(["make", "check", "test"], cwd=ROOT).returncode:
        raise ReleaseError("The tests do not pass, so nothing is released.")
    tag = f"v{'.'.join(map(str, number))}"
    prepare(tag)
    print(f"{tag} is committed and tagged; `git show {tag}` has its notes.")
    print(f"To publish it: `git push origin main {tag}`.")
    print(f"To go back instead: `git tag --delete {tag} && git reset --hard HEAD~1`.")


def main() -> None:
    """Make a release of ``VERSION``."""
    for name in [*os.environ]:
        is_of_another = name.startswith("GIT_") and not name.startswith(KEPT)
        if is_of_another or name == "PYTEST_ADDOPTS":  # All tests are to run.
            del os.environ[name]
    try:
        release(os.environ.get("VERSION", ""))
    except (ReleaseError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted: nothing is released.")


if __name__ == "__main__":
    main()
