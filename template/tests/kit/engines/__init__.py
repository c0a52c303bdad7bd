"""How to get a throw-away database, a module an engine.

Each has ``database``, and the ``KIND`` of migrations that it needs. Where a connection
can be ended from outside, it has ``disconnect``.
"""
