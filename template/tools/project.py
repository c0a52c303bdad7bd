"""The features of this project that have a specification."""

from importlib import import_module
from pathlib import Path

from console import Refused
from generator import EXAMPLE
from merge import Files
from names import APP, NAME
from specification import FILE, Specification

KINDS = sorted(p.stem.partition("_")[0] for p in Path(__file__).parent.glob("*_revisions.py"))
"""The kinds of databases that the project has repositories and revisions for."""


def read(name: str, table: str = "made") -> Specification | None:
    """Return what a feature was made from, or with ``fields``, what it is to be."""
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name of a feature: use snake_case")
    file = APP / name / FILE
    return Specification.parse(file.read_text(encoding="utf-8"), table) if file.exists() else None


def every() -> list[Specification]:
    """Return what each feature was made from; one that is referred to comes first."""
    found: dict[str, Specification] = {}

    def add(name: str) -> None:
        if name not in found and (spec := read(name)):
            for target in spec.references:
                add(target)
            found[name] = spec

    for file in sorted(APP.glob(f"*/{FILE}")):
        add(file.parent.name)
    return [*found.values()]


def has_example() -> bool:
    """Return whether the project has the example, which has no specification."""
    return read(EXAMPLE) is None and (APP / EXAMPLE / "routes.py").exists()


def revisions(old: Specification | None, new: Specification | None) -> Files:
    """Return the texts of the revisions between two specifications, by their paths."""
    found: Files = {}
    for kind in KINDS:
        found |= import_module(f"{kind}_revisions").revision(old, new)
    return found
