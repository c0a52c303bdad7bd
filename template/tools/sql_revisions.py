"""Revisions of the SQL schema for features, written from the difference of two specifications."""

from pathlib import Path
from uuid import uuid4

from console import Refused
from generator import formatted
from merge import Files
from revisions import identifiers
from specification import Field, Specification
from sql_columns import column, constraints, create, indexes, sql_type

VERSIONS = Path("src/app/migrations/sql/versions")

HEAD = '''"""{title}."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from app.kit.sql import Ascii

revision: str = "{revision}"
down_revision: str | Sequence[str] | None = {down}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def revision(old: Specification | None, new: Specification | None) -> Files:
    """Return the text of the revision between two specifications by its path, if there is one."""
    if old and new:
        up, down, title = _change(old, new), _change(new, old), f"change {new.name}"
    elif new:
        up, down, title = create(new), _drop(new), f"add {new.name}"
    else:
        assert old
        up, down, title = _drop(old), create(old), f"remove {old.name}"
    if not up and not down:
        return {}
    return text_of(title, *("\n    ".join(lines or ["pass"]) for lines in (up, down)))


def text_of(title: str, upgrade: str, downgrade: str) -> Files:
    """Return the text of a revision that follows the last one, by its path."""
    name = uuid4().hex[:12]
    path = str(VERSIONS / f"{name}_{title.replace(' ', '_')}.py")
    values = {"title": title, "revision": name, "down": _head()}
    return formatted({path: HEAD.format(**values, upgrade=upgrade, downgrade=downgrade)})


def _head() -> str:
    known = [identifiers(path) for path in VERSIONS.glob("*.py")]
    heads = {name for name, _ in known} - {down for _, downs in known for down in downs}
    if len(heads) > 1:
        raise Refused(f"The revisions end in {' and '.join(sorted(heads))}: merge them")
    return repr(heads.pop()) if heads else "None"


def _drop(spec: Specification) -> list[str]:
    return [f'op.drop_table("{spec.name}")']


def _change(old: Specification, new: Specification) -> list[str]:
    """Return what makes the table of ``old`` that of ``new``: what goes goes first."""
    table, had, has = new.name, constraints(old), constraints(new)
    old_indexes, new_indexes = indexes(old), indexes(new)
    was = {each.name: each for each in old.fields}
    fields = [(was.pop(each.name, None), each) for each in new.fields]
    columns = [f'drop_column("{name}")' for name in sorted(was)]
    columns += [call for pair in fields for call in _column(*pair)]
    rules = [call for pair in fields for call in _nullable(*pair)]
    rules += [call for name, call in has.items() if name not in had]
    dropped = [name for name in old_indexes if name not in new_indexes]
    return [
        *_batch(table, [f"drop_constraint({name})" for name in had if name not in has]),
        *(f'op.drop_index("{name}", table_name="{table}")' for name in dropped),
        *_batch(table, columns),
        *(line for pair in fields for line in _fill(table, *pair)),
        *_batch(table, rules),
        *(line for name, line in new_indexes.items() if name not in old_indexes),
    ]


def _batch(table: str, calls: list[str]) -> list[str]:
    """Return one block for all calls, as each block may copy the table."""
    block = [f'with op.batch_alter_table("{table}") as batch:', *(f"batch.{c}" for c in calls)]
    return ["\n        ".join(block)] if calls else []


def _column(old: Field | None, new: Field) -> list[str]:
    """Return what adds a column, still without values, or changes its type."""
    if not old:
        return [f"add_column({column(new, is_nullable=True)})"]
    types = f"existing_type={sql_type(old)}, type_={sql_type(new)}"
    call = f'alter_column("{new.name}", {types}, nullable={old.optional})'
    return [call] if sql_type(old) != sql_type(new) else []


def _fill(table: str, old: Field | None, new: Field) -> list[str]:
    """Return what gives the default to rows that have no value."""
    if new.default is None or (old and (new.optional or not old.optional)):
        return []
    where = f'.where(sa.column("{new.name}").is_(None))' if old else ""
    target = f'sa.table("{table}", sa.column("{new.name}"))'
    value = f"sa.literal({new.initial}, {sql_type(new)})"
    return [f"op.execute(sa.update({target}){where}.values({new.name}={value}))"]


def _nullable(old: Field | None, new: Field) -> list[str]:
    """Return what changes whether rows may have no value; without a default, they may."""
    before = not old or old.optional
    after = new.optional or (not old and new.default is None)
    call = f'alter_column("{new.name}", existing_type={sql_type(new)}, nullable={after})'
    return [call] if before != after else []
