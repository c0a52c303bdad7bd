"""The parts of SQL storage for the repositories of features."""

from app.kit.storage.operations import operation
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_requests import REQUEST, request_columns, request_row, to_request
from app.kit.storage.sql_resources import Resources
from app.kit.storage.sql_rows import dump_rows, reader
from app.kit.storage.sql_statements import Change
from app.kit.storage.sql_tables import (
    LIMIT,
    THIS_ID,
    Ascii,
    Base,
    columns,
    is_expected,
    row,
    selected,
)

__all__ = [
    "LIMIT",
    "REQUEST",
    "THIS_ID",
    "Ascii",
    "Base",
    "Change",
    "Resources",
    "SqlStorage",
    "columns",
    "dump_rows",
    "is_expected",
    "operation",
    "reader",
    "request_columns",
    "request_row",
    "row",
    "selected",
    "to_request",
]
