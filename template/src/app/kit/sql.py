"""The parts of SQL storage for the repositories of features."""

from app.kit.storage.operations import operation
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_dumps import dump_rows
from app.kit.storage.sql_reads import reader
from app.kit.storage.sql_resources import Resources
from app.kit.storage.sql_statements import Change
from app.kit.storage.sql_tables import (
    LIMIT,
    REQUEST,
    THIS_ID,
    Ascii,
    Base,
    columns,
    is_expected,
    request_columns,
    request_row,
    row,
    selected,
    to_request,
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
