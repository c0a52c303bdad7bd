"""The features of this project that have a specification."""

from importlib import import_module
from pathlib import Path

from generator import EXAMPLE
from names import APP, NAME, SpecificationError
from specification import FILE, Specification

KINDS = sorted(p.stem.partition("_")[0] for p in Path(__file__).parent.glob("*_revisions.py"))
"""The kinds of databases that the project has repositories and revisions for."""


def read(name: str, table: str = "made") -> Specification | None:
    """Return what a feature was made from, or with ``fields``, what it is to be."""
    if not NAME.fullmatch(name):
        raise SpecificationError(f"{name!r} is no name of a feature: use snake_case")
    file = APP / name / FILE
    return Specification.parse(file.read_text(encoding="utf-8"), table) if file.exists() else None


def every() -> list[Specification]:
    """Return what each feature was made from; one that is referred to comes first."""
    found: dict[str, Specification] = {}

    def add(name: str) -> None:
        if name not in found and (spec := read(name)):
            for target in sorted(spec.references):
                add(target)
            found[name] = spec

    for file in sorted(APP.glob(f"*/{FILE}")):
        add(file.parent.name)
    return [*found.values()]


def check_references(spec: Specification) -> None:
    """Raise ``SpecificationError`` unless what it refers to is there, and does not refer to it."""
    for target in sorted(spec.references):
        other = read(target) if target != spec.name else spec
        if not other and not (target == EXAMPLE and has_example()):
            raise SpecificationError(f"ref({target}): the project has no such feature to refer to")
        if spec.name in _reached(target):
            reason = "features cannot refer to each other in a circle, nor to themselves"
            raise SpecificationError(f"ref({target}): {reason}")


def has_example() -> bool:
    """Return whether the project has the example, which has no specification."""
    return read(EXAMPLE) is None and (APP / EXAMPLE / "routes.py").exists()


def _reached(name: str) -> set[str]:
    """Return a feature, and all to which it refers, directly or not."""
    spec = read(name)
    others = map(_reached, spec.references) if spec else ()
    return {name}.union(*others)


def revisions(old: Specification | None, new: Specification | None) -> dict[str, str]:
    """Return the texts of the revisions between two specifications, by their paths."""
    found: dict[str, str] = {}
    for kind in KINDS:
        found |= import_module(f"{kind}_revisions").revision(old, new)
    return found
