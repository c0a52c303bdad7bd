"""Makes a feature of this project from its specification, changes one, or removes it.

``make feature`` and ``make remove`` run it, in the project's folder. A feature is rendered by the
templates in ``tools/templates``. If it exists already, the difference between the renders of its
old and its new specification is merged into the present files.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from changes import check_change
from generator import render
from names import APP, NAME, SpecificationError, check_names
from repository import TemplateError, error_line, leave_other_repositories, refuse_unfinished_work
from specification import FILE, Specification, parse_fields, singular_of

KINDS = {p.stem.partition("_")[0] for p in Path(__file__).parent.glob("*_revisions.py")}
"""The kinds of databases that the project has repositories and revisions for."""

HAND_WRITTEN = {"notes"}
"""Features without a specification that others can refer to."""


def make(name: str, singular: str, fields: str, *, is_dry: bool) -> bool:
    """Make or change a feature; return whether nothing is left to merge by hand."""
    old, new = _specifications(name, singular, fields)
    _check_references(new)
    if old:
        check_change(old, new)
    before, after = render(old) if old else {}, render(new)
    revisions = dict(_revisions(old, new))
    changed = [path for path, text in after.items() if before.get(path) != text]
    if is_dry or not changed:
        written = sorted([*changed, *revisions]) or ["nothing"]
        print("It would write:" if is_dry else "Written:", *written, sep="\n    ")
        return True
    conflicts = list(_merge(before, after))
    for path, text in revisions.items():
        Path(path).write_text(text, encoding="utf-8")
    print(f"{'Changed' if old else 'Made'} {name}:", *sorted([*changed, *revisions]), sep="\n    ")
    if conflicts:
        print("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", *conflicts, sep="\n    ")
    print("Look at it with `git status`, try it with `make check test`, then commit it.")
    return not conflicts


def remove(name: str, *, is_dry: bool) -> bool:
    """Delete a feature and its tests, and write the revision that drops what it stored."""
    spec = _read(name)
    if not spec:
        raise SpecificationError(f"{name}: the project has no feature of that name with a {FILE}")
    for file in sorted(APP.glob(f"*/{FILE}")):
        other = Specification.parse(file.read_text(encoding="utf-8"), "made")
        if name in other.references and other.name != name:
            raise SpecificationError(f"{name}: {other.name} refers to it; remove that first")
    folders = [APP / name, Path("tests", name)]
    revisions = dict(_revisions(spec, None))
    if is_dry:
        print("It would delete:", *folders, "and write:", *revisions, sep="\n    ")
        return True
    for folder in folders:
        shutil.rmtree(folder)
    for path, text in revisions.items():
        Path(path).write_text(text, encoding="utf-8")
    print(f"Removed {name}; this revision drops what it stored:", *revisions, sep="\n    ")
    print(f"To keep the data, go back first: `git checkout .`, `app dump --feature {name} FILE`.")
    return True


def _specifications(
    name: str, singular: str, fields: str
) -> tuple[Specification | None, Specification]:
    """Return what the feature was made from, if there is one, and what it is to be."""
    old = _read(name)
    if old and not fields:
        return old, _read(name, "fields") or old
    if not fields and not old:
        raise SpecificationError('Give its fields: make feature NAME=bookmarks FIELDS="title:text"')
    if old and singular and singular != old.singular:
        raise SpecificationError(f"{name}: its singular is {old.singular}, and cannot be changed")
    one = old.singular if old else singular_of(name, singular)
    if not old:
        check_names(name, one)
    return old, Specification(name, one, parse_fields(shlex.split(fields)))


def _check_references(spec: Specification) -> None:
    """Raise ``SpecificationError`` unless what it refers to is there, and does not refer to it."""
    for target in sorted(spec.references):
        other = _read(target) if target != spec.name else spec
        if not other and not (target in HAND_WRITTEN and _has(target)):
            raise SpecificationError(f"ref({target}): the project has no such feature to refer to")
        if spec.name in _reached(target):
            reason = "features cannot refer to each other in a circle, nor to themselves"
            raise SpecificationError(f"ref({target}): {reason}")


def _reached(name: str) -> set[str]:
    """Return a feature, and all to which it refers, directly or not."""
    spec = _read(name)
    others = map(_reached, spec.references) if spec else ()
    return {name}.union(*others)


def _read(name: str, table: str = "made") -> Specification | None:
    if not NAME.fullmatch(name):
        raise SpecificationError(f"{name!r} is no name of a feature: use snake_case")
    file = APP / name / FILE
    return Specification.parse(file.read_text(encoding="utf-8"), table) if file.exists() else None


def _has(name: str) -> bool:
    return (APP / name / "routes.py").exists()


def _revisions(old: Specification | None, new: Specification | None) -> Iterator[tuple[str, str]]:
    for kind in sorted(KINDS):
        yield from import_module(f"{kind}_revisions").revision(old, new).items()


def _merge(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Merge the difference of two renders into the present files; yield the conflicts."""
    for path in sorted(before.keys() | after.keys()):
        old, new, file = before.get(path, ""), after.get(path, ""), Path(path)
        if old == new or (path in before and not file.exists()):
            continue  # Nothing new, or the owner has deleted it.
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if text not in ("", old) and file.name != FILE:
            new, is_clean = _three_ways(text, old, new)
            if not is_clean:
                yield path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(new, encoding="utf-8")


def _three_ways(mine: str, old: str, new: str) -> tuple[str, bool]:
    """Return the merge of two changes of a text, and whether they do not contradict."""
    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("yours", "old", "new")]
        for file, text in zip(files, (mine, old, new), strict=True):
            file.write_text(text, encoding="utf-8")
        labels = [f"-L{file.name}" for file in files]
        command = ["git", "merge-file", "-p", *labels, *map(str, files)]
        run = subprocess.run(command, capture_output=True, check=False)
        return run.stdout.decode(), run.returncode == 0


def main() -> None:
    """Run the command; a failure is one line, and exit code 1."""
    value = os.environ.get
    name, is_dry = value("NAME", ""), bool(value("DRY_RUN"))
    leave_other_repositories()
    try:
        refuse_unfinished_work(except_for=[str(APP / name / FILE)])  # It may be edited.
        if sys.argv[1:] == ["remove"]:
            sys.exit(not remove(name, is_dry=is_dry))
        sys.exit(not make(name, value("SINGULAR", ""), value("FIELDS", ""), is_dry=is_dry))
    except (TemplateError, SpecificationError, OSError, ValueError) as error:
        sys.exit(error_line(error))


if __name__ == "__main__":
    main()
