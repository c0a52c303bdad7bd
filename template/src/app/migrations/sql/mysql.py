"""How MySQL and MariaDB make the schema."""

from typing import Any

import sqlalchemy as sa
from alembic.ddl.mysql import MySQLImpl
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler, MySQLTypeCompiler
from sqlalchemy.schema import CreateTable

TABLE_EXISTS = 1050
DONE = {
    1060: "the column is there",
    1061: "the index is there",
    1826: "the constraint is there",
    1051: "the table is gone",
    1091: "the column, index or constraint is gone",
}


class TypeCompiler(MySQLTypeCompiler):
    """Keeps ids in 16 bytes, which sort as they do, and times in milliseconds."""

    def visit_uuid(self, type_: sa.Uuid[Any], **_: Any) -> str:
        return "BINARY(16)"

    def visit_datetime(self, type_: sa.DateTime, **_: Any) -> str:
        return "DATETIME(3)"


class DdlCompiler(MySQLDDLCompiler):
    """Makes tables that tell apart all texts that differ: by case, accents or spaces at the end."""

    def post_create_table(self, table: sa.Table) -> str:
        collation = "utf8mb4_nopad_bin" if self.dialect.is_mariadb else "utf8mb4_0900_bin"
        options = f" ENGINE=InnoDB CHARSET=utf8mb4 COLLATE={collation}"
        return super().post_create_table(table) + options

    def define_constraint_preamble(self, constraint: sa.Constraint, **kw: Any) -> str:
        if isinstance(constraint, sa.PrimaryKeyConstraint):
            return ""  # Its name would be ignored, with a warning.
        return super().define_constraint_preamble(constraint, **kw)


class Revisions(MySQLImpl):
    """Runs revisions so that one that was interrupted can be run again.

    The server commits with every statement that changes the schema, so an interrupted revision
    stays half done. Run again, it takes as done what is there, or gone, already. Changes of rows
    are undone by the interruption if no such statement follows them in the revision.
    """

    __dialect__ = "mysql"

    def _exec(self, construct: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = super()._exec(construct, *args, **kwargs)
        except sa.exc.DBAPIError as error:
            if not self._is_done(construct, error):
                raise
            return None
        if getattr(construct, "is_dml", False) and construct.table.name == "alembic_version":
            super()._exec("COMMIT")
        return result

    def _is_done(self, construct: Any, error: Any) -> bool:
        code = error.orig.args[0]
        if code != TABLE_EXISTS or not isinstance(construct, CreateTable):
            return code in DONE
        wanted = construct.element
        table = sa.Table(wanted.name, sa.MetaData(), autoload_with=self.connection)
        return table.columns.keys() == wanted.columns.keys() and not any(
            self.compare_type(table.columns[column.name], column) for column in wanted.columns
        )
