"""The features of this service, found by their packages.

A feature is a package beside this module that has ``routes.py`` with its ``router``. It has one
module for each kind of database with its ``Repository``, and ``seeds.py`` if it has seeds.
"""

from pathlib import Path

FEATURES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/routes.py")))
