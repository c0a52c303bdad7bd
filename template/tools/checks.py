"""What a specification must be, besides having fields that can be made."""

import symtable
from collections.abc import Iterator
from dataclasses import replace

from console import Refused
from generator import EXAMPLE, rendered
from project import has_example, read
from specification import Field, Specification


def check_references(spec: Specification) -> None:
    """Raise ``Refused`` unless what it refers to is there, and does not refer to it."""
    for target in spec.references:
        other = read(target) if target != spec.name else spec
        if not other and not (target == EXAMPLE and has_example()):
            raise Refused(f"ref({target}): the project has no such feature to refer to")
        if spec.name in _reached(target):
            reason = "features cannot refer to each other in a circle, nor to themselves"
            raise Refused(f"ref({target}): {reason}")


def _reached(name: str) -> set[str]:
    """Return a feature, and all to which it refers, directly or not."""
    spec = read(name)
    return {name}.union(*map(_reached, spec.references if spec else ()))


def check_change(old: Specification, new: Specification) -> None:
    """Raise ``Refused`` if rows may have no value of a field, or one it refuses."""
    before = {each.name: each for each in old.fields}
    for each in new.fields:
        problem = _changed(before[each.name], each) if each.name in before else _added(each)
        if problem:
            raise Refused(f"{each.name}: {problem}")


def _added(field: Field) -> str:
    if not field.initial:
        return "rows that are there would have no value: make it optional, or give a default"
    is_same_in_all = field.unique and field.default is not None
    return "rows that are there would all have the default" if is_same_in_all else ""


def _changed(old: Field, new: Field) -> str:
    is_kept = old.type.name == new.type.name
    if not is_kept or (old.type.name in ("decimal", "ref") and old.type != new.type):
        return f"{old.form} cannot become {new.form}: add another field, and drop this one later"
    if _is_narrower(old, new):
        return "rows that are there may break the narrower rule"
    if old.optional and not new.optional and new.default is None:
        return "rows that are there may have no value: give a default"
    return ""


def _is_narrower(old: Field, new: Field) -> bool:
    before, after = old.type.arguments, new.type.arguments
    match old.type.name:
        case "text":
            return bool(after < before)
        case "int":
            return bool(after[0] > before[0] or after[1] < before[1])
        case "enum":
            return not {*before} <= {*after}
    return False


def check_clashes(spec: Specification) -> None:
    """Raise ``Refused`` if two things would have one name somewhere in the code.

    Then a scope has fewer names than with names that nothing else has.
    """
    others = [replace(each, name=f"field_{n}x") for n, each in enumerate(spec.fields)]
    free = Specification("free_things", "free_thing", tuple(others))
    counts = _counts(free)
    if _counts(spec) == counts:
        return
    alone = {spec.name: replace(free, name=spec.name, singular=spec.singular)}
    for n, each in enumerate(spec.fields):
        alone[each.name] = replace(free, fields=(*others[:n], each, *others[n + 1 :]))
    culprits = [name for name, tried in alone.items() if _counts(tried) != counts]
    name = (culprits or [spec.name])[0]
    raise Refused(f"{name}: the code of a feature has something else of that name")


def _counts(spec: Specification) -> list[int]:
    """Return how many names each scope of the code has; nothing if an argument is there twice."""
    code = {path: text for path, text in rendered(spec).items() if path.endswith(".py")}
    try:
        modules = [symtable.symtable(text, path, "exec") for path, text in code.items()]
    except SyntaxError:
        return []
    return [len(scope.get_identifiers()) for each in modules for scope in _scopes(each)]


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield scope
    for inner in scope.get_children():
        yield from _scopes(inner)
