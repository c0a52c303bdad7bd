"""Keeps the revisions of the template and of the owner in one line."""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from merge import Files

Followers = dict[str, list[str]]
"""The revisions that follow each revision."""

VERSIONS = "src/app/migrations/*/versions/*.py"
NUMBERED = "src/app/migrations/*/versions/[0-9]*_*.py"
REVISION = re.compile(rb"^(revision\b.*?= *)[\"']([^\"']*)[\"']", re.MULTILINE)
DOWN_REVISION = re.compile(rb"^(down_revision\b.*?= *)[\"']([^\"']*)[\"']", re.MULTILINE)
CREATED = re.compile(rb"create_(?:table|collection)\(\s*[\"'](\w+)")


def about_removed(old: Files, mine: Files, new: Files) -> set[str]:
    """Return the new revisions that are about features of the template which are not here."""
    features = {Path(name).parent.name for name in old if fnmatch(name, "src/app/*/routes.py")}
    here = {Path(name).parts[2] for name in mine if fnmatch(name, "src/app/*/*")}
    words = {feature.encode() for feature in features - here}
    earlier = [text for name, text in old.items() if fnmatch(name, VERSIONS)]
    words |= {t for text in earlier if _names(text, words) for t in CREATED.findall(text)}
    brought = [name for name in new.keys() - old.keys() if fnmatch(name, VERSIONS)]
    texts = {name: new[name] + name.replace("_", ".").encode() for name in brought}
    return {name for name, text in texts.items() if _names(text, words)}


def _names(text: bytes, words: set[bytes]) -> bool:
    """Return whether a text has one of some names of Python, or of a database."""
    return bool(words) and bool(re.search(rb"[\"'.](?:%b)\b" % b"|".join(sorted(words)), text))


def follow_own(committed: set[str]) -> Iterator[str]:
    """Put new revisions after committed ones that follow the same revision; yield a line for each.

    Then a database that has the owner's revision gets the new one, and there is one head.
    """
    yield from _rename(committed)
    yield from _renumber(committed)
    every = {path: identifiers(path) for path in sorted(Path().glob(VERSIONS))}
    own = {path: found for path, found in every.items() if str(path) in committed}
    following, everyone = followers(own.values()), followers(every.values())
    known = {revision for revision, _ in every.values()}
    for path, (revision, down_revisions) in every.items():
        for down_revision in down_revisions if path not in own else ():
            last = heads(down_revision, following)
            if down_revision not in known:
                last = sorted({name for name, _ in own.values()} - following.keys())
            elif set(last) <= {down_revision} or set(last) & set(heads(revision, everyone)):
                continue  # No revision of the owner's follows it, or they follow this one, too.
            yield _follow(path, last)


def _follow(path: Path, last: list[str]) -> str:
    if len(last) > 1:
        return f"{path} is one more head, as yours are {' and '.join(last)}: merge them."
    line = rb'\1"%b"' % last[0].encode() if last else rb"\1None"
    path.write_bytes(DOWN_REVISION.sub(line, path.read_bytes()))
    return f"{path} now follows {f'your revision {last[0]}' if last else 'none'}."


def _rename(committed: set[str]) -> Iterator[str]:
    """Give another name to new revisions that are called like a committed one."""
    every = [(path, identifiers(path)[0]) for path in sorted(Path().glob(VERSIONS))]
    taken = {name for path, name in every if name and str(path) in committed}
    new = [(path, name) for path, name in every if str(path) not in committed]
    other = {name.encode(): f"{name}_template".encode() for _, name in new if name in taken}
    for path, name in new:
        text = path.read_bytes()
        for line in (REVISION, DOWN_REVISION):
            text = line.sub(lambda m: b'%b"%b"' % (m[1], other.get(m[2], m[2])), text)
        if other and text != path.read_bytes():
            path.write_bytes(text)
        if name in taken:
            yield f"{path} is revision {name}_template here, as you have another {name}."


def _renumber(committed: set[str]) -> Iterator[str]:
    """Have new revisions that have no name come last if one has the number of a committed one."""
    nameless = [path for path in sorted(Path().glob(NUMBERED)) if not identifiers(path)[0]]
    numbers = {path: path.stem.partition("_")[0] for path in nameless}
    taken = {number for path, number in numbers.items() if str(path) in committed}
    new = [path for path in numbers if str(path) not in committed]
    if not taken & {numbers[path] for path in new}:
        return
    for number, path in enumerate(new, start=int(max(numbers.values())) + 1):
        other = path.with_name(f"{number:04}{path.name.removeprefix(numbers[path])}")
        yield f"{path.rename(other)} was {path.name}: revisions of yours have such numbers."


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
    return DOWN_REVISION.sub(b"", REVISION.sub(b"", text)).replace(b"\r\n", b"\n")
