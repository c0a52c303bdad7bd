"""Takes the example out of the project, as if it had been generated without one.

The example has no specification. What it has stored is read from its models, before they go.
"""

import sys
from importlib import import_module

from console import show
from merge import Files, write
from project import KINDS
from updating import change_answers, way_back


def remove(name: str, *, is_dry: bool) -> bool:
    """Take the answer that there is no example; return whether there are no conflicts."""
    sys.path.insert(0, "src")
    dropping: Files = {}
    for kind in KINDS:
        dropping |= import_module(f"{kind}_removal").revision(name)
    with way_back():
        finished = change_answers({"example": "none"}, is_dry=is_dry)
    if not is_dry:
        write(dropping)
    title = "It would write" if is_dry else "Written"
    show(f"{title}, to drop what it stored:", dropping)
    return finished
