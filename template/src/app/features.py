"""The features of this service.

A feature is the package of that name beside this module: ``routes.py`` with its ``router``,
one module for each kind of database with its ``Repository``, and ``seeds.py`` if it has seeds.
"""

FEATURES = ("notes",)
