"""Dumps: all records as NDJSON, the same bytes for the same data on every database.

Each line is a record; records are in the order of their ids, feature by feature. After the records
of a feature, a closing line has their number, the SHA-256 of their lines, and the name of the next
feature. So a dump that was truncated or altered is detected.
"""
