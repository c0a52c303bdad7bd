"""Revisions of the SQL schema for features, written from the difference of two specifications."""

from itertools import groupby
from pathlib import Path
from uuid import uuid4

from generator import formatted
from names import SpecificationError
from revisions import identifiers
from specification import Field, Specification
from sql_columns import column, create, foreign_key, index_of, python, sql_type

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


def revision(old: Specification | None, new: Specification | None) -> dict[str, str]:
    """Return the text of the revision between two specifications by its path, if there is one."""
    if old and new:
        up, down = _changes(old, new), _changes(new, old, is_undone=True)
        title = f"change {new.name}"
    elif new:
        up, down, title = create(new), _drop(new), f"add {new.name}"
    else:
        assert old
        up, down, title = _drop(old), create(old), f"remove {old.name}"
    if not up and not down:
        return {}
    path, text = text_of(
        title, *("\n    ".join(_blocks(lines) or ["pass"]) for lines in (up, down))
    )
    return {path: text}


def text_of(title: str, upgrade: str, downgrade: str) -> tuple[str, str]:
    """Return the path and the text of a revision that follows the last one."""
    name = uuid4().hex[:12]
    path = str(VERSIONS / f"{name}_{title.replace(' ', '_')}.py")
    values = {"title": title, "revision": name, "down": _head()}
    text = HEAD.format(**values, upgrade=upgrade, downgrade=downgrade)
    return path, formatted({path: text})[path]


def _head() -> str:
    known = [identifiers(path) for path in VERSIONS.glob("*.py")]
    heads = {name for name, _ in known} - {down for _, downs in known for down in downs}
    if len(heads) > 1:
        raise SpecificationError(f"The revisions end in {' and '.join(sorted(heads))}: merge them")
    return repr(heads.pop()) if heads else "None"


def _drop(spec: Specification) -> list[str]:
    return [f'op.drop_table("{spec.name}")']


def _changes(old: Specification, new: Specification, *, is_undone: bool = False) -> list[str]:
    """Return what makes the table of ``old`` that of ``new``: what goes goes first."""
    before = {each.name: each for each in old.fields}
    after = {each.name: each for each in new.fields}
    lines = []
    for name in sorted(before.keys() - after.keys()):
        lines += _less(new.name, before[name], Field(name, before[name].type), is_gone=True)
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            lines += _less(new.name, before[name], after[name])
    for each in new.fields:
        found = before.get(each.name)
        if found is None:
            lines += _added(new.name, each, is_undone=is_undone)
        elif found != each:
            lines += _more(new.name, found, each)
    return lines


def _batch(table: str, call: str) -> str:
    return f'with op.batch_alter_table("{table}") as batch: batch.{call}'


def _blocks(lines: list[str]) -> list[str]:
    """Return the lines with those of one batch in one block: each block may copy the table."""
    found = []
    for head, group in groupby(lines, lambda line: line.partition(" batch.")[0]):
        if head.startswith("with "):
            calls = [line.removeprefix(head).strip() for line in group]
            found.append("\n        ".join([head, *calls]))
        else:
            found += group
    return found


def _less(table: str, old: Field, new: Field, *, is_gone: bool = False) -> list[str]:
    lines = []
    if old.unique and not new.unique:
        lines.append(_batch(table, f'drop_constraint("uq_{table}_{old.name}", type_="unique")'))
    if is_gone and old.type == "ref":
        name = foreign_key(table, old)
        lines.append(_batch(table, f'drop_constraint("{name}", type_="foreignkey")'))
    if index_of(old) and index_of(old) != index_of(new):
        lines.append(f'op.drop_index("ix_{table}_{old.name}", table_name="{table}")')
    if is_gone:
        lines.append(_batch(table, f'drop_column("{old.name}")'))
    return lines


def _added(table: str, field: Field, *, is_undone: bool) -> list[str]:
    """Return what adds a column, which has the default in the rows that are there."""
    must = not field.optional
    lines = [_batch(table, f"add_column({column(field, is_nullable=True)})")]
    if field.default is not None:
        lines.append(_filled(table, field))
    if must and (field.default is not None or not is_undone):
        nullable = f'"{field.name}", existing_type={sql_type(field)}, nullable=False'
        lines.append(_batch(table, f"alter_column({nullable})"))
    if field.type == "ref":
        name, target = foreign_key(table, field), field.arguments[0]
        call = f'create_foreign_key("{name}", "{target}", ["{field.name}"], ["id"])'
        lines.append(_batch(table, call))
    return lines + _more(table, Field(field.name, field.type), field, is_new=True)


def _filled(table: str, field: Field, where: str = "") -> str:
    value = f"sa.literal({python(field)}, {sql_type(field)})"
    target = f'sa.table("{table}", sa.column("{field.name}"))'
    return f"op.execute(sa.update({target}){where}.values({field.name}={value}))"


def _more(table: str, old: Field, new: Field, *, is_new: bool = False) -> list[str]:
    lines = []
    if not is_new and old.optional and not new.optional and new.default is not None:
        lines.append(_filled(table, new, f".where(sa.column({new.name!r}).is_(None))"))
    if not is_new and (sql_type(old), old.optional) != (sql_type(new), new.optional):
        how = f"existing_type={sql_type(old)}, type_={sql_type(new)}, nullable={new.optional}"
        lines.append(_batch(table, f'alter_column("{new.name}", {how})'))
    if new.unique and not old.unique:
        call = f'create_unique_constraint("uq_{table}_{new.name}", ["{new.name}"])'
        lines.append(_batch(table, call))
    if (columns := index_of(new)) and (is_new or columns != index_of(old)):
        lines.append(f'op.create_index(op.f("ix_{table}_{new.name}"), "{table}", {columns})')
    return lines
