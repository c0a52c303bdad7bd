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

from changes import check_change
from clashes import check_clashes
from feature_file import updated
from following import follow
from generator import EXAMPLE, check_lines, render
from names import APP, SpecificationError, check_names
from project import check_references, every, has_example, read, revisions
from repository import refuse_unfinished_work
from specification import FILE, Specification, parse_fields, singular_of
from texts import Change, changes

KEEP = "To keep the data, go back first: `git checkout .`, `app dump --feature"


def make(name: str, singular: str, fields: str, *, is_dry: bool) -> bool:
    """Make or change a feature; return whether nothing is left to merge by hand."""
    old, new = _specifications(name, singular, fields)
    check_references(new)
    check_clashes(new)
    if old:
        check_change(old, new)
    planned = _planned(old, new, with_fields=bool(fields))
    names = sorted(str(each.path) for each in planned) or ["nothing"]
    if is_dry:
        print("It would write:", *names, sep="\n    ")
        return True
    for each in planned:
        each.execute()
    print(f"{'Changed' if old else 'Made'} {name}:", *names, sep="\n    ")
    conflicts = [str(each.path) for each in planned if not each.clean]
    if conflicts:
        print("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", *conflicts, sep="\n    ")
    print("Look at it with `git status`, try it with `make check test`, then commit it.")
    return not conflicts


def _planned(old: Specification | None, new: Specification, *, with_fields: bool) -> list[Change]:
    """Return the changes of files that make a feature, or another one of it."""
    before = render(old) if old else {}
    after = render(new)
    check_lines(after)
    if old:
        file = APP / new.name / FILE
        present = before[str(file)] = file.read_text(encoding="utf-8")
        after[str(file)] = updated(present, new, with_fields=with_fields)
    return [*changes(before, after), *changes({}, revisions(old, new))]


def remove(name: str, *, is_dry: bool) -> bool:
    """Delete a feature and its tests, and write the revision that drops what it stored."""
    spec = read(name)
    for other in every():
        if name in other.references:
            raise SpecificationError(f"{name}: {other.name} refers to it; remove that first")
    if name == EXAMPLE and has_example():
        finished: bool = import_module("example").remove(name, is_dry=is_dry)  # Copier is slow.
        return finished
    if not spec:
        raise SpecificationError(f"{name}: the project has no feature of that name with a {FILE}")
    folders = [APP / name, Path("tests", name)]
    dropping = revisions(spec, None)
    if is_dry:
        print("It would delete:", *folders, "and write:", *dropping, sep="\n    ")
        return True
    for folder in filter(Path.exists, folders):
        shutil.rmtree(folder)
    for each in changes({}, dropping):
        each.execute()
    print(f"Removed {name}; this revision drops what it stored:", *dropping, sep="\n    ")
    print(f"{KEEP} {name} FILE`.")
    return True


def _specifications(
    name: str, singular: str, fields: str
) -> tuple[Specification | None, Specification]:
    """Return what the feature was made from, if there is one, and what it is to be."""
    old = read(name)
    if old and not fields:
        return old, read(name, "fields") or old
    if not fields and not old:
        raise SpecificationError('Give its fields: make feature NAME=bookmarks FIELDS="title:text"')
    if old and singular and singular != old.singular:
        raise SpecificationError(f"{name}: its singular is {old.singular}, and cannot be changed")
    one = old.singular if old else singular_of(name, singular)
    if not old:
        check_names(name, one)
    try:
        texts = shlex.split(fields)
    except ValueError as error:  # A quotation mark is open.
        raise SpecificationError(f"FIELDS: {error}") from None
    return old, Specification(name, one, parse_fields(texts))


def main() -> bool:
    """Run the command of the command line; return whether nothing is left to merge by hand."""
    value = os.environ.get
    name, is_dry = value("NAME", ""), bool(value("DRY_RUN"))
    if sys.argv[1:] == ["follow"]:
        return follow()
    refuse_unfinished_work(except_for=[str(APP / name / FILE)])  # It may be edited.
    if sys.argv[1:] == ["remove"]:
        return remove(name, is_dry=is_dry)
    return make(name, value("SINGULAR", ""), value("FIELDS", ""), is_dry=is_dry)
