"""Makes temporary databases; one module per engine.

Each has ``database``, and the ``KIND`` of migrations that it needs. Where a connection
can be ended from outside, it has ``disconnect``.
"""
