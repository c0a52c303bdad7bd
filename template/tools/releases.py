"""The template's releases, and what its changelog says of them."""

import os
import re
from itertools import dropwhile, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import InvalidVersion, Version
from repository import TemplateError, git

# Copier's short names of hosts.
SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
ABBREVIATIONS = [f"-curl.{full}.insteadOf={short}" for short, full in SHORT.items()]


def _remote(*arguments: str) -> str:
    options = [word for option in ABBREVIATIONS for word in (option[:2], option[2:])]
    try:
        return os.fsdecode(git(*options, *arguments))
    except TemplateError as error:
        raise TemplateError(
            f"{str(error).rstrip('.')}. If the template has moved: make update TEMPLATE=ITS_ADDRESS"
        ) from None


def releases(address: str) -> list[str]:
    """Return the tags of the template's releases in their order, as Copier sees them."""
    listed = _remote("ls-remote", "--tags", "--refs", "--", address.removeprefix("git+"))
    found = {}
    for line in listed.splitlines():
        tag = line.partition("refs/tags/")[2]
        version = version_of(tag)
        if version and not version.is_prerelease:
            found[version] = tag
    return [found[version] for version in sorted(found)]


def later(tags: list[str], commit: str) -> list[str]:
    """Return the releases after a commit, which is named by the last release before it."""
    present = version_of(release_of(commit))
    return [tag for tag in tags if not present or (version_of(tag) or present) > present]


def release_of(commit: str) -> str:
    """Return the last release before a commit."""
    return re.sub(r"-\d+-g[0-9a-f]+$", "", commit)


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names."""
    try:
        return Version(tag)
    except InvalidVersion:
        return None


def changelog(address: str, tag: str | None) -> str:
    """Return the template's changelog in a release, or now."""
    with TemporaryDirectory() as folder:
        bare = Path(folder) / "template"
        options = ["--quiet", "--bare", "--depth=1", *([f"--branch={tag}"] if tag else [])]
        _remote("clone", *options, "--", address.removeprefix("git+"), str(bare))
        return os.fsdecode(git("-C", str(bare), "show", "HEAD:CHANGELOG.md", allowed=(0, 128)))


def sections(text: str, before: str, after: str) -> str:
    """Return what a changelog says between two releases."""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    begun = list(dropwhile(lambda part: not _is_of(part, after), parts)) or parts
    newer = takewhile(lambda part: not _is_of(part, before), begun)
    return "".join(part for part in newer if "\n" in part.strip()).strip()


def _is_of(section: str, commit: str) -> bool:
    number = re.escape(release_of(commit).removeprefix("v"))
    return bool(re.match(rf"## \[?v?{number}(?![\w.])", section))
