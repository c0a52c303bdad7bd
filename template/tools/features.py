"""Makes a feature of this project from its specification, changes one, or removes it.

A feature is rendered by the templates in ``tools/templates``. If it exists already, the difference
between the renders of its old and its new specification is merged into the present files.
"""

import os
import shlex
import shutil
import sys
from importlib import import_module
from pathlib import Path

from checks import check_change, check_clashes, check_references
from console import Refused, show
from feature_file import updated
from following import follow
from generator import EXAMPLE, check_lines, render
from merge import Files, write
from names import APP, check_names, singular_of
from project import every, has_example, read, revisions
from repository import refuse_unfinished_work
from specification import FILE, Specification, parse_fields
from worktree import merge_generated


def make(name: str, singular: str, fields: str, *, is_dry: bool) -> bool:
    """Make or change a feature; return whether nothing is left to merge by hand."""
    old, new = _specifications(name, singular, fields)
    check_references(new)
    check_clashes(new)
    if old:
        check_change(old, new)
    merged, _ = merge_generated(*_rendered(old, new, with_fields=bool(fields)))
    written = merged.written | revisions(old, new)
    title = "It would write" if is_dry else f"{'Changed' if old else 'Made'} {name}"
    show(f"{title}:", written or ["nothing"])
    if is_dry:
        return True
    write(written)
    show("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", merged.conflicts)
    print("Look at it with `git status`, try it with `make check test`, then commit it.")
    return not merged.conflicts


def _rendered(
    old: Specification | None, new: Specification, *, with_fields: bool
) -> tuple[Files, Files]:
    """Return the files of what a feature was made from, and of what it is to be."""
    before = render(old) if old else {}
    after = render(new)
    check_lines(after)
    if old:
        before[new.path] = Path(new.path).read_bytes()
        present = Path(new.path).read_text(encoding="utf-8")
        after[new.path] = updated(present, new, with_fields=with_fields).encode()
    return before, after


def remove(name: str, *, is_dry: bool) -> bool:
    """Delete a feature and its tests, and write the revision that drops what it stored."""
    spec = read(name)
    for other in every():
        if name in other.references:
            raise Refused(f"{name}: {other.name} refers to it; remove that first")
    if name == EXAMPLE and has_example():
        finished: bool = import_module("example").remove(name, is_dry=is_dry)  # Copier is slow.
        return finished
    if not spec:
        raise Refused(f"{name}: the project has no feature of that name with a {FILE}")
    folders, dropping = [APP / name, Path("tests", name)], revisions(spec, None)
    if is_dry:
        show("It would delete:", folders)
        show("It would write:", dropping)
        return True
    for folder in filter(Path.exists, folders):
        shutil.rmtree(folder)
    write(dropping)
    show(f"Removed {name}; this revision drops what it stored:", dropping)
    print(f"To keep the data, go back first: `git checkout .`, `app dump --feature {name} FILE`.")
    return True


def _specifications(
    name: str, singular: str, fields: str
) -> tuple[Specification | None, Specification]:
    """Return what the feature was made from, if there is one, and what it is to be."""
    old = read(name)
    if old and not fields:
        return old, read(name, "fields") or old
    if not fields:
        raise Refused('Give its fields: make feature NAME=bookmarks FIELDS="title:text"')
    if old and singular and singular != old.singular:
        raise Refused(f"{name}: its singular is {old.singular}, and cannot be changed")
    one = old.singular if old else singular_of(name, singular)
    if not old:
        check_names(name, one)
    try:
        texts = shlex.split(fields)
    except ValueError as error:  # A quotation mark is open.
        raise Refused(f"FIELDS: {error}") from None
    return old, Specification(name, one, parse_fields(texts))


def main() -> bool:
    """Run the command of the command line; return whether nothing is left to merge by hand."""
    value = os.environ.get
    name, is_dry = value("NAME", ""), bool(value("DRY_RUN"))
    if sys.argv[1:] == ["follow"]:
        return follow()
    refuse_unfinished_work(except_for=[(APP / name / FILE).as_posix()])  # It may be edited.
    if sys.argv[1:] == ["remove"]:
        return remove(name, is_dry=is_dry)
    return make(name, value("SINGULAR", ""), value("FIELDS", ""), is_dry=is_dry)
