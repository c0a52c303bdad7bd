"""How to get a throw-away database, a module an engine.

Each has ``database``, and the name of the test module that is about its ``MIGRATIONS``.
"""
