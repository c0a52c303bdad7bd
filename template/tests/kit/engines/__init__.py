"""How to get a throw-away database, a module an engine.

Each has ``database``, and the ``KIND`` of migrations that it needs. Those of SQL have
``disconnect``.
"""
