"""The template's releases, what its changelog says of them, and how far a project is from them."""

import json
import os
import re
from difflib import unified_diff
from itertools import dropwhile, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import answers_file as answers
from console import Refused, show
from merge import Files
from packaging.version import InvalidVersion, Version
from renders import rendered_now
from repository import committed, git
from revisions import as_generated

HOSTS = {"gh": "https://github.com/", "gl": "https://gitlab.com/"}  # Copier's short names.


def _remote(*arguments: str) -> str:
    short = [f"url.{address}.insteadOf={name}:" for name, address in HOSTS.items()]
    options = [word for each in short for word in ("-c", each)]
    try:
        return os.fsdecode(git(*options, *arguments))
    except Refused as error:
        raise Refused(
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


def changelog(address: str, tag: str) -> str:
    """Return the template's changelog in a release."""
    with TemporaryDirectory() as folder:
        bare = Path(folder) / "template"
        options = ["--quiet", "--bare", "--depth=1", f"--branch={tag}"]
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


def distance(text: str) -> dict[str, Any]:
    """Return the newer releases, and the template's files that were edited or deleted here."""
    address, version = answers.answer(text, answers.ADDRESS), answers.answer(text, "_commit")
    newer = later(releases(address), version)
    made = rendered_now(text)
    here = committed(lambda name: name in made)
    return {
        "template": address,
        "version": version,
        "newest": newer[-1] if newer else version,
        "newer": newer,
        "is_outdated": bool(newer),
        "files": len(made),
        "edited": {name: lines for name in sorted(here) if (lines := edited(name, made, here))},
        "deleted": sorted(made.keys() - here.keys()),
    }


def edited(name: str, made: Files, here: Files) -> dict[str, int]:
    """Return how many lines were added to a file and removed from it, if any."""
    old, new = as_generated(made[name]), as_generated(here[name])
    if old == new or name == answers.FILE:
        return {}
    before, after = (text.decode(errors="replace").splitlines() for text in (old, new))
    signs = [line[0] for line in unified_diff(before, after, n=0)][2:]
    return {"added": signs.count("+"), "removed": signs.count("-")}


def show_distance(form: str) -> bool:
    """Print it, for people or as JSON."""
    if form not in ("", "json"):
        raise Refused(f"{form}: there is no such format, only json.")
    found = distance(answers.last_written())
    if form:
        print(json.dumps(found, indent=2))
        return True
    newer = f"The newest is {found['newest']}, {len(found['newer'])} later; `make update` takes it."
    print(f"The project is of version {found['version']}.")
    print(newer if found["newer"] else "There is no newer one.")
    edits = [f"{name} +{n['added']} -{n['removed']}" for name, n in found["edited"].items()]
    show(f"Edited, of {found['files']} files of the template:", edits)
    show("Deleted:", found["deleted"])
    return True
