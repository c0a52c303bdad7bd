"""Dumps: all records as NDJSON, the same bytes for the same data on every database.

A line is a record, in the order of their ids, feature by feature. A closing line says how many
records a feature has, has the SHA-256 of their lines, and names the feature that comes next. So a
dump that was cut off, at whatever place, or altered is not taken for one.
"""
