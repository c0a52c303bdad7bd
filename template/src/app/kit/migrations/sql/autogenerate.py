"""What Alembic writes by itself: nothing of other programs, and an order that databases accept."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from app.kit.migrations.sql import VERSIONS

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
