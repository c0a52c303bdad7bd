"""Revisions of MongoDB for features: the rules and indexes of their collections."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from generator import formatted
from merge import Files
from mongodb_rules import KINDS, indexes, rule_of
from specification import Field, Specification

VERSIONS = Path("src/app/migrations/mongodb/versions")

TEXT = '''"""{title}."""

from datetime import datetime
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128

from app.kit.migrations.mongodb import Database
from app.kit.migrations.mongodb.rules import drop_index, set_rules

{constants}


async def upgrade(database: Database) -> None:
    {upgrade}


async def downgrade(database: Database) -> None:
    {downgrade}
'''


def revision(old: Specification | None, new: Specification | None) -> Files:
    """Return the text of the revision between two specifications by its path, if there is one."""
    if old == new:
        return {}
    if old and new:
        before, after = _undone(old, new), new.fields
        constants = f"{_rules('BEFORE', before)}\n{_rules('AFTER', after)}"
        up, down = (
            _change(new.name, "AFTER", before, after),
            _change(new.name, "BEFORE", after, before),
        )
        return text_of(f"change {new.name}", constants, *map("\n    ".join, (up, down)))
    spec = new or old
    assert spec
    up, down = _create(spec), [f'await database.drop_collection("{spec.name}")']
    title, steps = (f"add {spec.name}", (up, down)) if new else (f"remove {spec.name}", (down, up))
    return text_of(title, _rules("FIELDS", spec.fields), *map("\n    ".join, steps))


def text_of(title: str, constants: str, upgrade: str, downgrade: str) -> Files:
    """Return the text of a revision that comes last, by its path."""
    numbers = [int(p.name.partition("_")[0]) for p in VERSIONS.glob("[0-9]*_*.py")]
    path = str(VERSIONS / f"{max(numbers, default=0) + 1:04}_{title.replace(' ', '_')}.py")
    values = {"title": title, "constants": constants, "upgrade": upgrade, "downgrade": downgrade}
    return formatted({path: TEXT.format(**values)})


def _undone(old: Specification, new: Specification) -> list[Field]:
    """Return the fields before; those that get no value when the change is undone may be null."""
    kept = {each.name for each in new.fields}
    return [
        each if each.name in kept or each.default is not None else replace(each, optional=True)
        for each in old.fields
    ]


def _create(spec: Specification) -> list[str]:
    key = 'create_index("idempotency.key", unique=True, sparse=True)'
    return [
        _set_rules(spec.name, "FIELDS", spec.fields),
        f'await database["{spec.name}"].{key}',
        *_indexes(spec.name, (), spec.fields),
    ]


def _change(name: str, constant: str, before: Iterable[Field], after: Iterable[Field]) -> list[str]:
    return [
        _set_rules(name, constant, after),
        *_values(name, before, after),
        *_indexes(name, before, after),
    ]


def _set_rules(name: str, constant: str, fields: Iterable[Field]) -> str:
    uuids = [each.name for each in fields if KINDS.get(each.type.name) == "binData"]
    more = f", uuids={json.dumps(uuids)}" if uuids else ""
    return f'await set_rules(database, "{name}", {constant}{more})'


def _rules(constant: str, fields: Iterable[Field]) -> str:
    rules = ", ".join(f'"{each.name}": {json.dumps(rule_of(each))}' for each in fields)
    return f"{constant}: dict[str, Any] = {{{rules},}}"


def _values(name: str, before: Iterable[Field], after: Iterable[Field]) -> list[str]:
    """Return what changes the documents that are there, all at once: the rules are the new ones."""
    had, has = {each.name: each for each in before}, {each.name for each in after}
    gone = sorted(had.keys() - has)
    given = [each for each in after if each.name not in had or _is_filled(had[each.name], each)]
    stages = [f'{{"$unset": {json.dumps(gone)}}}'] if gone else []
    if given:
        values = ", ".join(f'"{each.name}": {_value(each)}' for each in given)
        stages.append(f'{{"$set": {{{values}}}}}')
    return [f'await database["{name}"].update_many({{}}, [{", ".join(stages)}])'] if stages else []


def _is_filled(before: Field, field: Field) -> bool:
    return before.optional and not field.optional


def _value(field: Field) -> str:
    """Return an expression of MongoDB: the value that is there, or else the default."""
    default = field.initial or "None"
    if field.type.name == "decimal":
        default = default.replace("Decimal(", "Decimal128(")
    if field.type.name == "date" and field.default:
        default = json.dumps(field.default)
    return f'{{"$ifNull": ["${field.name}", {{"$literal": {default}}}]}}'


def _indexes(name: str, before: Iterable[Field], after: Iterable[Field]) -> list[str]:
    had, wanted = indexes(before), indexes(after)
    dropped = [
        f'await drop_index(database, "{name}", "{index}")' for index in had if index not in wanted
    ]
    made = [
        f'await database["{name}"].create_index({arguments}, name="{index}")'
        for index, arguments in wanted.items()
        if index not in had
    ]
    return dropped + made
