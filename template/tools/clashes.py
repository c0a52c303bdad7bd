"""Names of a feature and its fields that its code has for something else, too."""

import symtable
from collections.abc import Iterator
from dataclasses import replace

from generator import rendered
from names import SpecificationError
from specification import Specification


def check_clashes(spec: Specification) -> None:
    """Raise ``SpecificationError`` if two things would have one name somewhere in the code.

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
    raise SpecificationError(f"{name}: the code of a feature has something else of that name")


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
