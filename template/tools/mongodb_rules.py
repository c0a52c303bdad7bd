"""The rules and indexes of features' collections, as revisions make them."""

import json
from collections.abc import Iterable
from typing import Any

from kit_types import MAX_EMAIL, MAX_URL
from specification import Field

KINDS = {
    "int": ["int", "long"],
    "decimal": "decimal",
    "bool": "bool",
    "datetime": "date",
    "uuid": "binData",
    "ref": "binData",
}
"""The types of values, where they are no texts."""

LIMITS: dict[str, dict[str, Any]] = {
    "url": {"maxLength": MAX_URL},
    "email": {"maxLength": MAX_EMAIL},
    "date": {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
}


def rule_of(field: Field) -> dict[str, Any]:
    """Return the rule that the kit derives from the model's field."""
    rule = _rule_of_value(field)
    return {"anyOf": [rule, {"bsonType": "null"}]} if field.optional else rule


def _rule_of_value(field: Field) -> dict[str, Any]:
    match field.type.name, field.type.arguments:
        case "text", (length,):
            return {"bsonType": "string", "minLength": 1, "maxLength": length}
        case "enum", values:
            return {"enum": [*values]}
        case "int", (least, most):
            return {"bsonType": KINDS["int"], "minimum": least, "maximum": most}
        case kind, _:
            return {"bsonType": KINDS.get(kind, "string"), **LIMITS.get(kind, {})}


def indexes(fields: Iterable[Field]) -> dict[str, str]:
    """Return the arguments of the indexes that fields have, by the names of the indexes."""
    found = {}
    for each in fields:
        if each.filter:
            found[f"{each.name}_filter"] = f'[("{each.name}", 1), ("_id", -1)]'
        elif each.target:
            found[f"{each.name}_ref"] = f'[("{each.name}", 1)]'
        if each.unique:
            kind = KINDS.get(each.type.name, "string")
            some = f'{{"{each.name}": {{"$type": {json.dumps(kind)}}}}}'
            found[f"{each.name}_unique"] = (
                f'[("{each.name}", 1)], unique=True, partialFilterExpression={some}'
            )
    return found
