"""Revisions of the schema, the template's and the owner's, in one line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VERSIONS = "src/app/migrations/*/versions/*.py"
DOWN_REVISION = re.compile(rb"^(down_revision\b.*?= *)[\"'][^\"']*[\"']", re.MULTILINE)


def follow_own(committed: set[str]) -> Iterator[str]:
    """Put revisions that are not committed after those on the same one that are; tell of each.

    A database that has the project's revision then gets the new one, and there is one head.
    """
    followers: dict[str, list[str]] = {}
    new = {}
    for path in sorted(Path().glob(VERSIONS)):
        revision, down_revisions = identifiers(path)
        if str(path) not in committed:
            new[path] = down_revisions
        else:
            for down_revision in down_revisions:
                followers.setdefault(down_revision, []).append(revision)
    for path, down_revisions in new.items():
        for down_revision in down_revisions:
            own = heads(down_revision, followers)
            if len(own) > 1:
                yield f"{path} is one more head, as yours are {' and '.join(own)}: merge them."
            elif own != [down_revision]:
                line = rb'\1"%b"' % own[0].encode()
                path.write_bytes(DOWN_REVISION.sub(line, path.read_bytes()))
                yield f"{path} now follows your revision {own[0]}."


def heads(revision: str, followers: dict[str, list[str]]) -> list[str]:
    """Return the last revisions after one, which is itself if none follows it."""
    last = {revision}
    while last & followers.keys():
        last = {after for one in last for after in followers.get(one, [one])}
    return sorted(last)


def identifiers(path: Path) -> tuple[str, list[str]]:
    """Return a revision's name, and the names of those that it follows."""
    found: dict[str, Any] = {"revision": "", "down_revision": None}
    for statement in ast.parse(path.read_bytes()).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in found:
                found[name] = ast.literal_eval(value)
    down = found["down_revision"] or ()
    return found["revision"], [down] if isinstance(down, str) else list(down)


def as_generated(text: bytes) -> bytes:
    """Return a file without what ``follow_own`` may have changed in it."""
    return DOWN_REVISION.sub(b"", text)
