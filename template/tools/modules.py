"""The modules that an owner's code imports."""

import ast
from pathlib import Path, PurePosixPath

from change import Change


def stale_imports(changed: Change) -> list[str]:
    """Return the owner's modules that import modules which the template removed, with these."""
    merged = changed.merged
    modules = {_module(name) for name in changed.new}
    removed = {_module(name) for name in merged.removed if name.endswith(".py")}
    # A file that has changed too much to be found as moved has its old name in ``kit``.
    kit = {module: module.replace("app.", "app.kit.", 1) for module in removed}
    gone = {a: f" (now {b})" if b in modules else "" for a, b in kit.items()}
    gone |= {_module(a): f" (now {_module(b)})" for a, b in merged.moved.items()}
    lost = gone.keys() - modules
    own = changed.mine.keys() - changed.new.keys() - merged.removed.keys() - merged.moved.keys()
    found = {
        name: sorted(_imports(changed.mine[name]) & lost)
        for name in own
        if name.endswith(".py") and Path(name).exists()  # A generated one may have gone, too.
    }
    return [
        f"{name}: {', '.join(module + gone[module] for module in imported)}"
        for name, imported in found.items()
        if imported
    ]


def _module(name: str) -> str:
    path = PurePosixPath(name.removeprefix("src/"))
    return ".".join((path.parent if path.stem == "__init__" else path.with_suffix("")).parts)


def _imports(text: bytes) -> set[str]:
    """Return the modules that a module may import."""
    found: set[str] = set()
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return found
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
