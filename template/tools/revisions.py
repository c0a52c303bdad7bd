"""Keeps the revisions of the template and of the owner in one line."""

import ast
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from merge import Files

Line = dict[str, list[str]]
"""The revisions that each revision follows."""

VERSIONS = "src/app/migrations/*/versions/*.py"
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


def follow_own(committed: Collection[str]) -> Iterator[str]:
    """Put new revisions after committed ones that follow the same revision; yield a line for each.

    Then a database that has the owner's revision gets the new one, and there is one head.
    """
    paths = sorted(Path().glob(VERSIONS))
    own, new = ([p for p in paths if (str(p) in committed) is there] for there in (True, False))
    yield from _rename(own, new)
    yield from _renumber(own, new)
    new = [path for path in new if path.exists()]
    ours, everyone = _line(own), _line(own + new)
    for path in new:
        name, down_revisions = identifiers(path)
        for down in down_revisions:
            last = _heads(_following(down, ours) if down in everyone else ours.keys(), ours)
            if down not in everyone or (last - {down} and not last & _following(name, everyone)):
                yield _follow(path, sorted(last))


def _follow(path: Path, last: list[str]) -> str:
    if len(last) > 1:
        return f"{path} is one more head, as yours are {' and '.join(last)}: merge them."
    line = rb'\1"%b"' % last[0].encode() if last else rb"\1None"
    path.write_bytes(DOWN_REVISION.sub(line, path.read_bytes()))
    return f"{path} now follows {f'your revision {last[0]}' if last else 'none'}."


def _rename(own: list[Path], new: list[Path]) -> Iterator[str]:
    """Give another name to new revisions that are called like one of the owner's."""
    names = {path: identifiers(path)[0] for path in new}
    taken = {*names.values()} & _line(own).keys() - {""}
    other = {name.encode(): f"{name}_template".encode() for name in taken}
    for path, name in names.items():
        text = path.read_bytes()
        for line in (REVISION, DOWN_REVISION):
            text = line.sub(lambda m: b'%b"%b"' % (m[1], other.get(m[2], m[2])), text)
        if taken and text != path.read_bytes():
            path.write_bytes(text)
        if name in taken:
            yield f"{path} is revision {name}_template here, as you have another {name}."


def _renumber(own: list[Path], new: list[Path]) -> Iterator[str]:
    """Have new revisions that have no name come last if the owner has one of their numbers."""
    nameless = [p for p in own + new if p.match("[0-9]*_*") and not identifiers(p)[0]]
    numbers = {path: path.stem.partition("_")[0] for path in nameless}
    ours, others = ({p: numbers[p] for p in paths if p in numbers} for paths in (own, new))
    if not {*ours.values()} & {*others.values()}:
        return
    last = max(map(int, numbers.values()))
    for number, path in enumerate(others, start=last + 1):
        other = path.with_name(f"{number:04}{path.name.removeprefix(others[path])}")
        yield f"{path.rename(other)} was {path.name}: revisions of yours have such numbers."


def _line(paths: list[Path]) -> Line:
    return dict(map(identifiers, paths))


def _following(name: str, line: Line) -> set[str]:
    """Return a revision and all that follow it."""
    found = {name}
    while more := {each for each in line if found & {*line[each]}} - found:
        found |= more
    return found


def _heads(names: Collection[str], line: Line) -> set[str]:
    """Return those of some revisions that no other follows."""
    return {*names}.difference(*line.values())


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
