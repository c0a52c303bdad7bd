"""Dumps: all records of a feature as NDJSON, the same bytes for the same data on every database.

A line is a record, in the order of their ids. The last line says how many there are and has the
SHA-256 of all lines before it, so that a dump which was cut off or altered is not taken for one.
"""
