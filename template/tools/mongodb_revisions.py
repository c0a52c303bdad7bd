"""Revisions of MongoDB for features: the rules and indexes of their collections."""

import json
import sys
from pathlib import Path
from pprint import pformat
from types import ModuleType
from typing import Any

from generator import View, formatted, render
from names import APP
from specification import Field, Specification

VERSIONS = Path("src/app/migrations/mongodb/versions")

KINDS = {
    "int": ["int", "long"],
    "decimal": "decimal",
    "bool": "bool",
    "datetime": "date",
    "uuid": "binData",
    "ref": "binData",
}
"""The types of values in a unique index, where they are no texts; null is none of them."""

RULED = '''"""{title}."""

from datetime import datetime
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128

from app.kit.migrations.mongodb import Database

RULES: dict[str, Any] = {{
    "validator": {rules},
    "validationLevel": "strict",
    "validationAction": "error",
}}


async def upgrade(database: Database) -> None:
    if "{name}" in await database.list_collection_names():
        await database.command("collMod", "{name}", **RULES)
    else:
        await database.create_collection("{name}", **RULES)
{steps}
'''
DROPPED = '''"""{title}."""

from app.kit.migrations.mongodb import Database


async def upgrade(database: Database) -> None:
    await database.drop_collection("{name}")
'''


def revision(old: Specification | None, new: Specification | None) -> dict[str, str]:
    """Return the text of the revision between two specifications by its path, if there is one."""
    spec = new or old
    assert spec
    title = f"{'change' if old and new else 'add' if new else 'remove'} {spec.name}"
    if old == new:
        return {}
    if new:
        before = {each.name: each for each in old.fields} if old else {}
        text = RULED.format(
            title=title,
            name=new.name,
            rules=pformat(_rules(new), width=88, sort_dicts=False),
            steps=_lines(1, _changes(before, new) + _indexes(before, new)),
        )
    else:
        assert old
        text = DROPPED.format(title=title, name=old.name)
    numbers = [int(p.name.partition("_")[0]) for p in VERSIONS.glob("[0-9]*_*.py")]
    path = VERSIONS / f"{max(numbers, default=0) + 1:04}_{title.replace(' ', '_')}.py"
    return formatted({str(path): text})


def _rules(spec: Specification) -> dict[str, Any]:
    """Return the rules that the kit derives from the models which the specification makes."""
    sys.path.insert(0, "src")
    from app.kit.mongodb import Documents

    name = f"{spec.name}_as_made"
    module = sys.modules[name] = ModuleType(name)
    exec(render(spec)[str(APP / spec.name / "models.py")], module.__dict__)
    return Documents(module.Record).rules


def _changes(before: dict[str, Field], spec: Specification) -> list[str]:
    """Return what changes the documents that are there, all at once: the rules are the new ones."""
    after = {each.name: each for each in spec.fields}
    added = [f for f in spec.fields if before and (f.name not in before or _is_filled(before, f))]
    gone = sorted(before.keys() - after.keys())
    stages = [f'{{"$unset": {json.dumps(gone)}}}'] if gone else []
    if added:
        values = ", ".join(f'"{each.name}": {_value(each)}' for each in added)
        stages.append(f'{{"$set": {{{values}}}}}')
    if not stages:
        return []
    update = f"update_many({{}}, [{', '.join(stages)}])"
    return [f'await database["{spec.name}"].{update}']


def _is_filled(before: dict[str, Field], field: Field) -> bool:
    return before[field.name].optional and not field.optional


def _value(field: Field) -> str:
    """Return an expression of MongoDB: the value that is there, or else the default."""
    default = "None" if field.default is None else View(field).python(field.default)
    if field.type == "decimal":
        default = default.replace("Decimal(", "Decimal128(")
    if field.type == "date" and field.default:
        default = json.dumps(field.default)
    return f'{{"$ifNull": ["${field.name}", {{"$literal": {default}}}]}}'


def _indexes(before: dict[str, Field], spec: Specification) -> list[str]:
    collection = f'database["{spec.name}"]'
    lines = []
    wanted, had = _named(spec.fields), _named(before.values())
    for name in had.keys() - wanted.keys():
        lines.append(f'await {collection}.drop_index("{name}")')
    if not before:
        lines.append(
            f'await {collection}.create_index("idempotency.key", unique=True, sparse=True)'
        )
    for name, arguments in wanted.items():
        if name not in had:
            lines.append(f'await {collection}.create_index({arguments}, name="{name}")')
    return lines


def _named(fields: Any) -> dict[str, str]:
    """Return the arguments of the indexes that fields have, by the names of the indexes."""
    found = {}
    for each in fields:
        if each.filter:
            found[f"{each.name}_filter"] = f'[("{each.name}", 1), ("_id", -1)]'
        elif each.type == "ref":
            found[f"{each.name}_ref"] = f'[("{each.name}", 1)]'
        if each.unique:
            kind = KINDS.get(each.type, "string")
            some = f'{{"{each.name}": {{"$type": {kind!r}}}}}'
            found[f"{each.name}_unique"] = (
                f'[("{each.name}", 1)], unique=True, partialFilterExpression={some}'
            )
    return found


def _lines(depth: int, lines: list[str]) -> str:
    return "\n".join("    " * depth + line for line in lines)
