"""What Alembic writes by itself: nothing of other programs, and an order that databases accept."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.operations import ops

from app.kit.migrations.sql import VERSIONS
from app.kit.storage.sql_tables import Base

MADE = re.compile(r"(?:create_table|rename_table)\(\s*(?:[\"']\w+[\"'],\s*)?[\"'](\w+)")


def tables(versions: Path = VERSIONS) -> set[str]:
    """Return the tables that the revisions of the project make."""
    texts = (path.read_text(encoding="utf-8") for path in versions.glob("*.py"))
    return {name for text in texts for name in MADE.findall(text)}


def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compared_to: Any) -> bool:
    """Return whether to compare something: not a table that is there, but is another program's."""
    return kind != "table" or not reflected or compared_to is not None or name in tables()


def put_in_order(_: object, __: object, directives: list[ops.MigrationScript]) -> None:
    """Have each script drop tables last, those that refer first; their indexes go with them."""
    for script in directives:
        if not script.upgrade_ops or not script.downgrade_ops:
            continue
        found = script.upgrade_ops.ops
        dropped = [each for each in found if isinstance(each, ops.DropTableOp)]
        gone = {each.table_name for each in dropped}
        indexes = [each for each in found if getattr(each, "table_name", None) in gone]
        others = [each for each in found if each not in indexes]
        indexes = [each for each in indexes if each not in dropped]
        tables_last = [*_referring_first(dropped)]
        script.upgrade_ops.ops = [*others, *indexes, *tables_last]
        script.upgrade_ops.reverse_into(script.downgrade_ops)
        script.upgrade_ops.ops = [*others, *tables_last]
        _add_enums(script.upgrade_ops, script.downgrade_ops)


class EnumType(ops.MigrateOperation):
    """Create or drop the type of an enum.

    Databases that have such types make one with a table, but not with a column, and keep it when
    its last column goes.
    """

    def __init__(self, type_: sa.Enum, verb: str) -> None:
        self.type, self.verb = type_, verb


@renderers.dispatch_for(EnumType)
def _render_enum(_: object, each: EnumType) -> str:
    values = "".join(f"{value!r}, " for value in each.type.enums)
    return f"sa.Enum({values}name={each.type.name!r}).{each.verb}(op.get_bind(), checkfirst=True)"


def _add_enums(upgrade: ops.UpgradeOps, downgrade: ops.DowngradeOps) -> None:
    """Have both ways create types before columns, and drop those of which no column is left."""
    columns = [column for table in Base.metadata.tables.values() for column in table.c]
    after = Counter(each.name for each in _enums(columns))
    made, gone = ([*_made(way.ops)] for way in (upgrade, downgrade))
    before = after - Counter(each.name for each, _ in made)
    for way, new, old, left in ((upgrade, made, gone, after), (downgrade, gone, made, before)):
        lone = [EnumType(each, "create") for each, is_lone in new if is_lone]
        lost = {each.name: EnumType(each, "drop") for each, _ in old if each.name not in left}
        way.ops = [*lone, *way.ops, *lost.values()]


def _made(operations: Iterable[Any]) -> Iterator[tuple[sa.Enum, bool]]:
    """Yield the type of each enum that operations make, and whether without its table."""
    for each in operations:
        yield from _made(getattr(each, "ops", ()))
        yield from ((enum, False) for enum in _enums(getattr(each, "columns", ())))
        yield from ((enum, True) for enum in _enums([getattr(each, "column", None)]))


def _enums(columns: Iterable[Any]) -> Iterator[sa.Enum]:
    types = (each.type for each in columns if isinstance(each, sa.Column))
    yield from (each for each in types if isinstance(each, sa.Enum) and each.native_enum)


def _referring_first(dropped: list[ops.DropTableOp]) -> Iterable[ops.DropTableOp]:
    left = {each.table_name: each for each in dropped}
    targets = {name: _targets(each) - {name} for name, each in left.items()}
    while left:
        free = [n for n in left if not any(n in targets[other] for other in left)] or [*left]
        for name in free:
            yield left.pop(name)


def _targets(dropped: ops.DropTableOp) -> set[str]:
    """Return the tables that a table refers to."""
    made: Any = dropped.reverse()
    keys = (each for each in made.columns if isinstance(each, sa.ForeignKeyConstraint))
    return {element.target_fullname.split(".")[-2] for key in keys for element in key.elements}
