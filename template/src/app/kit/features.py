"""The features of the service: the packages beside the kit that have a ``routes.py``.

A feature's ``routes.py`` has its ``router``. A feature that stores something has a module for each
kind of database, with its ``Repository``. Seeds are in ``seeds.py``; a ``Record`` in ``models.py``
makes it take part in dumps.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

from app.kit import SERVICE, SERVICE_FOLDER, migrations


@dataclass(frozen=True)
class Feature:
    """A package that is a feature; ``package`` is its dotted name."""

    name: str
    package: str

    def has(self, module: str) -> bool:
        """Return whether the feature has a module of this name."""
        return find_spec(f"{self.package}.{module}") is not None

    def is_stored(self) -> bool:
        """Return whether it has a module for a kind of database."""
        return any(self.has(kind.name) for kind in iter_modules(migrations.__path__))

    def load(self, module: str) -> Any:
        """Import one of its modules and return it."""
        return import_module(f"{self.package}.{module}")


FEATURES = tuple(
    Feature(path.parent.name, f"{SERVICE}.{path.parent.name}")
    for path in sorted(SERVICE_FOLDER.glob("*/routes.py"))
)
