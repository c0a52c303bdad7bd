"""Revisions on MySQL and MariaDB, where each statement that changes the schema commits."""

from typing import Any

import sqlalchemy as sa
from alembic.ddl.base import RenameTable
from alembic.ddl.mysql import MySQLChangeColumn, MySQLImpl
from sqlalchemy.schema import AddConstraint, CreateTable

SET_UP = (
    """SET autocommit = 0, lock_wait_timeout = DEFAULT, innodb_lock_wait_timeout = DEFAULT
        /*M! , max_statement_time = DEFAULT */ /*!80000 , max_execution_time = DEFAULT */""",
    "DO GET_LOCK(SHA2(DATABASE(), 224), 31536000)",  # A name of a lock has up to 64 characters.
)
"""Prepare a connection for migrations: no time limits, and a lock until it is closed."""

# Codes of errors which show that a statement was executed before.
DONE = {
    1051,  # The table is gone.
    1060,  # The column is there.
    1061,  # The index is there.
    1091,  # The column, index or constraint is gone.
    1826,  # The constraint is there.
}


class Revisions(MySQLImpl):
    """Runs a revision again after it was interrupted.

    What already exists, or is already gone, was done before the interruption. Changes of rows were
    rolled back then, unless the schema was changed after them: such a change needs two revisions.
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
        there = sa.inspect(self.connection)
        match construct, code:
            case CreateTable(), 1050:  # The table is there.
                return self._is_like(construct.element)
            case RenameTable(), 1146:  # The table is gone.
                return bool(there.has_table(construct.new_table_name))
            case MySQLChangeColumn(), 1054:  # The column is gone.
                columns = there.get_columns(construct.table_name)
                return construct.newname in {column["name"] for column in columns}
            case AddConstraint(), 1005:  # Something is wrong with the foreign key.
                return "errno: 121 " in str(error)  # It is there.
        return code in DONE

    def _is_like(self, table: sa.Table) -> bool:
        found = sa.Table(table.name, sa.MetaData(), autoload_with=self.connection)
        return found.columns.keys() == table.columns.keys() and not any(
            self.compare_type(found.columns[column.name], column) for column in table.columns
        )
