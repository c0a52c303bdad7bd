"""How to get a throw-away database: one module for each engine, each with ``database``."""
