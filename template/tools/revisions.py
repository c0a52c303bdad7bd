"""Keeps the revisions of the template and of the owner in one line."""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

Followers = dict[str, list[str]]
"""The revisions that follow each revision."""

VERSIONS = "src/app/migrations/*/versions/*.py"
DOWN_REVISION = re.compile(rb"^(down_revision\b.*?= *)[\"'][^\"']*[\"']", re.MULTILINE)


def follow_own(committed: set[str]) -> Iterator[str]:
    """Put new revisions after committed ones that follow the same revision; yield a line for each.

    Then a database that has the owner's revision gets the new one, and there is one head.
    """
    every = {path: identifiers(path) for path in sorted(Path().glob(VERSIONS))}
    own = followers(found for path, found in every.items() if str(path) in committed)
    everyone = followers(every.values())
    new = {path: found for path, found in every.items() if str(path) not in committed}
    for path, (revision, down_revisions) in new.items():
        for down_revision in down_revisions:
            last = heads(down_revision, own)
            if set(last) <= {down_revision} or set(last) & set(heads(revision, everyone)):
                continue  # No revision of the owner's follows it, or they follow this one, too.
            if len(last) > 1:
                yield f"{path} is one more head, as yours are {' and '.join(last)}: merge them."
                continue
            line = rb'\1"%b"' % last[0].encode()
            path.write_bytes(DOWN_REVISION.sub(line, path.read_bytes()))
            yield f"{path} now follows your revision {last[0]}."


def followers(revisions: Iterable[tuple[str, list[str]]]) -> Followers:
    """Return the followers of each revision, from pairs of a name and the names it follows."""
    found: Followers = {}
    for revision, down_revisions in revisions:
        for down_revision in down_revisions:
            found.setdefault(down_revision, []).append(revision)
    return found


def heads(revision: str, following: Followers) -> list[str]:
    """Return the last revisions after one; itself if none follows it."""
    reached = found = {revision}
    while found:
        found = {after for one in found for after in following.get(one, [])} - reached
        reached = reached | found
    return sorted(reached - following.keys())


def identifiers(path: Path) -> tuple[str, list[str]]:
    """Return a revision's name and the names it follows, if they are literals."""
    found: dict[str, Any] = {"revision": "", "down_revision": None}
    with suppress(SyntaxError, ValueError):
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
    """Return a file without the changes of ``follow_own``, and with git's line endings undone."""
    return DOWN_REVISION.sub(b"", text).replace(b"\r\n", b"\n")
