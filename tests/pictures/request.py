"""The picture of how a request flows, read from an adaptable project that is imported.

``python request.py FOLDER``, run by the project's Python in its folder, writes request.svg there.
"""

import ast
import importlib
import inspect
import sys
from pathlib import Path
from textwrap import shorten
from types import ModuleType
from typing import Any

from svg import Picture

from app.kit.application import middleware
from app.kit.http.protocol import BoundedProtocol
from app.settings import Settings

ENGINES = ("postgres", "mysql", "sqlite", "mongodb")
DRIVERS = ("asyncpg", "asyncmy", "sqlite3", "pymongo")
LEFT, WIDE, STEP = 20, 800, 44


def path_of(module: ModuleType) -> str:
    """Return the path of a module below the package, or from the project's folder."""
    path = Path(module.__file__ or "").resolve()
    return str(path.relative_to(Path.cwd())).removeprefix("src/app/")


def summary(thing: object) -> str:
    """Return the first sentence of a docstring."""
    first = (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")
    return first.partition("; ")[0].replace("``", "").rstrip(".")


def outer() -> list[tuple[str, str]]:
    """Return where a request goes before its route: the path of each class, and what it does."""
    layers: list[Any] = [BoundedProtocol]
    layers += (each.cls for each in middleware(Settings(database_url="sqlite:///:memory:")))
    return [(path_of(sys.modules[each.__module__]), summary(each)) for each in layers]


def imports(module: ModuleType) -> set[str]:
    """Return the packages that a module imports."""
    tree = ast.parse(Path(module.__file__ or "").read_text())
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def row(picture: Picture, y: int, texts: list[tuple[str, str]], kind: str = "") -> None:
    """Put boxes side by side, each with a path and a line below it."""
    width = (WIDE - 12 * (len(texts) - 1)) / len(texts)
    for number, (path, said) in enumerate(texts):
        x = LEFT + number * (width + 12)
        picture.box(x, y, width, STEP - 8, kind)
        picture.text(x + 10, y + 15, path, "accent")
        picture.text(x + 10, y + 30, shorten(said, int(width / 7.9) - 2, placeholder="…"), "soft")


def main(folder: Path) -> None:
    """Write the picture."""
    picture = Picture("How a request flows")
    y = 20
    for path, said in outer():
        row(picture, y, [(path, said)])
        y += STEP
    notes = {
        name: importlib.import_module(f"app.notes.{name}") for name in ("routes", "repository")
    }
    for module in notes.values():
        picture.arrow(420, y - 8, 420, y + 6)
        row(picture, y + 8, [(path_of(module), summary(module))], "yours")
        y += STEP + 8
    kept = [
        importlib.import_module(name)
        for name in ("app.notes.sql", "app.notes.mongodb", "tests.notes.memory")
    ]
    row(picture, y + 16, [(path_of(module), summary(module)) for module in kept], "yours")
    for number in range(len(kept)):
        picture.arrow(420, y - 8, LEFT + (number + 0.5) * WIDE / len(kept), y + 14)
    y += STEP + 16
    storages = [importlib.import_module(f"app.kit.storage.{name}") for name in ENGINES]
    drivers = [next(d for d in DRIVERS if d in driver_imports(name)) for name in ENGINES]
    boxes = [
        (path_of(m).removeprefix("kit/"), f"with {d}")
        for m, d in zip(storages, drivers, strict=True)
    ]
    row(picture, y + 16, boxes)
    for number in range(len(boxes)):
        x = LEFT + (number + 0.5) * WIDE / len(boxes)
        picture.arrow(x, y - 8, x, y + 14)
    picture.text(
        LEFT, y + STEP + 34, "blue: yours; grey: the platform's, which make update renews", "soft"
    )
    picture.write(folder / "request.svg")


def driver_imports(engine: str) -> set[str]:
    """Return what the modules of an engine's storage import."""
    folder = Path("src/app/kit/storage")
    modules = [p.stem for p in folder.glob(f"{engine}*.py")]
    return set().union(*(imports(importlib.import_module(f"app.kit.storage.{m}")) for m in modules))


if __name__ == "__main__":
    sys.path.insert(0, ".")
    main(Path(sys.argv[1]))
