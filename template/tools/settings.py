"""The settings that a version of the service reads."""

import ast
import re

from merge import Files

LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def settings(files: Files) -> dict[str, str]:
    """Return the settings with their defaults: fields of classes, and lines of .env.example."""
    found: dict[str, str] = {}
    for name, text in files.items():
        if name.startswith("src/app/") and b"Settings)" in text:
            found |= _fields(text)
    examples = dict(LINE.findall(files.get(".env.example", b"").decode()))
    return examples | {name: value or examples.get(name, "") for name, value in found.items()}


def _fields(text: bytes) -> dict[str, str]:
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    lines = [line for each in classes if each.name.endswith("Settings") for line in each.body]
    return {
        line.target.id.upper(): _default(line.value)
        for line in lines
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }


def _default(value: ast.expr | None) -> str:
    """Return the text of a default, also if it is that of a ``Field``."""
    match value:
        case ast.Call(args=[first, *_]):
            return _default(first)
        case ast.Call(keywords=keywords):
            return "".join(_default(each.value) for each in keywords if each.arg == "default")
        case ast.Constant(value=constant):
            return "" if constant is None else str(constant)
        case None:
            return ""
    return ast.unparse(value)
