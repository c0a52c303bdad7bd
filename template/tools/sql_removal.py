"""The SQL revision that drops the tables of a feature without a specification."""

from collections.abc import Sequence
from importlib import import_module

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from merge import Files
from sql_revisions import text_of


def revision(name: str) -> Files:
    """Return its text by its path."""
    import_module(f"app.{name}.sql")
    tables = import_module("app.kit.sql").Base.metadata.sorted_tables
    made: list[ops.MigrateOperation] = []
    for table in tables:
        made.append(ops.CreateTableOp.from_table(table))
        made += [ops.CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=str)]
    dropped: list[ops.MigrateOperation] = [
        ops.DropTableOp.from_table(table) for table in reversed(tables)
    ]
    return text_of(f"remove {name}", _code(dropped), _code(made))


def _code(operations: Sequence[ops.MigrateOperation]) -> str:
    lines = render_python_code(ops.UpgradeOps(operations)).splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("###"))
