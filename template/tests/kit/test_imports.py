"""The platform knows nothing of the service that it is part of, nor do its tests of the example."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import kit

ALLOWED = {
    Path(kit.__file__).parent: {"app.kit"},
    Path(__file__).parent: {"app.kit", "app.main", "app.settings", "app.DISTRIBUTION", "tests.kit"},
}


def imported(path: Path) -> Iterator[str]:
    """Yield what a module imports of the service and of its tests, as in ``app.kit``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for name in (f"{module}{alias.name}." for alias in node.names):
                if name.startswith(("app.", "tests.")):
                    yield ".".join(name.split(".")[:2])


@pytest.mark.parametrize(("folder", "allowed"), ALLOWED.items(), ids=["kit", "its tests"])
def test_it_imports_only_what_is_updated_with_it(folder: Path, allowed: set[str]) -> None:
    found = {(name, path) for path in folder.rglob("*.py") for name in imported(path)}

    assert {name for name, _ in found} & {"app.kit"}
    assert {(name, path) for name, path in found if name not in allowed} == set()
