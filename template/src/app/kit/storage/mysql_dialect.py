"""SQLAlchemy's dialect for MySQL and MariaDB, with exact texts, ids and times."""

from datetime import UTC
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.dialects.mysql.asyncmy import MySQLDialect_asyncmy
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler, MySQLTypeCompiler
from sqlalchemy.types import adapt_type

from app.kit.ids import to_uuid
from app.kit.storage.sql_tables import Ascii


class _Uuid(sa.Uuid[UUID]):
    """An id as 16 bytes, in the same order."""

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return lambda value: value and value.bytes

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return to_uuid


class _UtcDateTime(DATETIME):
    """A time in UTC; the server does not store the offset."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return lambda value: value and value.replace(tzinfo=UTC)


class _TypeCompiler(MySQLTypeCompiler):
    def visit_uuid(self, type_: sa.Uuid[Any], **_: Any) -> str:
        return "BINARY(16)"

    def visit_string(self, type_: sa.String, **kw: Any) -> str:
        charset = " CHARACTER SET ascii COLLATE ascii_bin" if isinstance(type_, Ascii) else ""
        return f"{super().visit_string(type_, **kw)}{charset}"

    def visit_datetime(self, type_: sa.DateTime, **_: Any) -> str:
        return "DATETIME(3)"


class _DdlCompiler(MySQLDDLCompiler):
    def post_create_table(self, table: sa.Table) -> str:
        # These collations distinguish case, accents and trailing spaces.
        collation = "utf8mb4_nopad_bin" if self.dialect.is_mariadb else "utf8mb4_0900_bin"
        options = f" ENGINE=InnoDB CHARSET=utf8mb4 COLLATE={collation}"
        return super().post_create_table(table) + options

    def define_constraint_preamble(self, constraint: sa.Constraint, **kw: Any) -> str:
        if isinstance(constraint, sa.PrimaryKeyConstraint):
            return ""  # The server ignores its name, with a warning.
        return super().define_constraint_preamble(constraint, **kw)


class Dialect(MySQLDialect_asyncmy):
    """SQLAlchemy's dialect with the types of the service."""

    supports_statement_cache = True
    type_compiler_cls = _TypeCompiler
    ddl_compiler = _DdlCompiler

    def type_descriptor(self, typeobj: Any) -> Any:
        return adapt_type(typeobj, {**self.colspecs, sa.DateTime: _UtcDateTime, sa.Uuid: _Uuid})

    def do_rollback(self, dbapi_connection: Any) -> None:
        # Outside a transaction, it would be a useless round trip.
        if dbapi_connection.driver_connection.get_transaction_status():
            dbapi_connection.rollback()
