"""What code says of itself: the settings that it reads, and the modules that it imports."""

import ast
import re
from pathlib import PurePosixPath

from merge import Files

LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def settings(files: Files) -> dict[str, str]:
    """Return the settings with their defaults: fields of classes, and lines of .env.example."""
    examples = dict(LINE.findall(files.get(".env.example", b"").decode()))
    found = dict(examples)
    for name, text in files.items():
        if name.startswith("src/app/") and b"Settings)" in text:
            fields = _fields(ast.parse(text))
            found |= {name: value or examples.get(name, "") for name, value in fields.items()}
    return found


def _fields(module: ast.Module) -> dict[str, str]:
    found = {}
    for each in module.body:
        if isinstance(each, ast.ClassDef) and each.name.endswith("Settings"):
            for line in each.body:
                match line:
                    case ast.AnnAssign(target=ast.Name(id=name), value=value):
                        found[name.upper()] = _default(value)
    return found


def _default(value: ast.expr | None) -> str:
    """Return the text of a default, also if it is that of a ``Field``."""
    match value:
        case ast.Call(args=[first, *_]):
            return _default(first)
        case ast.Call(keywords=keywords):
            return "".join(_default(each.value) for each in keywords if each.arg == "default")
        case None | ast.Constant(value=None):
            return ""
        case ast.Constant(value=constant):
            return str(constant)
    return ast.unparse(value)


def module(path: str) -> str:
    """Return the name of the module that is in a file of the project."""
    name = PurePosixPath(path.removeprefix("src/")).with_suffix("")
    return ".".join((name.parent if name.stem == "__init__" else name).parts)


def imports(text: bytes) -> set[str]:
    """Return the modules that a module may import."""
    found: set[str] = set()
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return found
    for node in nodes:
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(package), names=names):
                found |= {package, *(f"{package}.{alias.name}" for alias in names)}
    return found
