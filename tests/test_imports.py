"""No circle of imports in any project, also of those in functions and for types; no long code."""

import ast
from itertools import product
from pathlib import Path

import pytest

from conftest import VARIANTS, render

AUTH = ("token", "oidc", "none")
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
CASES = [*product(VARIANTS, AUTH[:1]), *product(["sqlite"], AUTH[1:])]


def modules(folder: Path) -> dict[str, Path]:
    """Return the files of modules by their dotted names."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Return the modules that a module names in its imports."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & known.keys()
            rest = {
                alias.name for alias in node.names if f"{node.module}.{alias.name}" not in known
            }
            named |= submodules | ({node.module or ""} if rest else set())
    return named & known.keys()


def in_circles(graph: dict[str, set[str]]) -> set[str]:
    """Return the modules that are left when those without imports, and importers, are taken off."""
    left = dict(graph)
    while True:
        imported = set().union(*left.values()) if left else set()
        outer = {m for m, targets in left.items() if m not in imported or not targets & left.keys()}
        if not outer:
            return set(left)
        left = {m: targets - outer for m, targets in left.items() if m not in outer}


def too_long(path: Path) -> list[str]:
    """Return what is over 150 lines as a module, or over 25 as a function."""
    text = path.read_text()
    functions = (n for n in ast.walk(ast.parse(text)) if isinstance(n, FUNCTIONS))
    found = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 25]
    return found + (["the module"] if text.count("\n") > 150 else [])


@pytest.mark.parametrize(("database", "auth"), CASES)
def test_imports_go_in_no_circle_and_code_is_short(
    template: Path, tmp_path: Path, database: str, auth: str
) -> None:
    render(template, database, tmp_path, auth=auth)
    known = modules(tmp_path / "src")
    for folder in "tests", "tools":
        inner = modules(tmp_path / folder)
        known |= {f"{folder}.{name}".rstrip("."): path for name, path in inner.items()}

    graph = {module: imports(path, known) for module, path in known.items()}

    assert len(graph["app.main"]) > 3
    assert in_circles(graph) == set()
    assert {module: long for module, path in known.items() if (long := too_long(path))} == {}


def test_long_code_is_found(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("def long():\n" + "    x = 1\n" * 25 + "\n" * 125)

    assert too_long(tmp_path / "long.py") == ["long", "the module"]


def test_a_circle_is_found() -> None:
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {"b", "c"}
    assert in_circles({"a": {"a"}}) == {"a"}
