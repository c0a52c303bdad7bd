"""The rules and indexes of features' collections, as revisions make them."""

import json
from collections.abc import Iterable
from typing import Any

from rules import MAX_EMAIL, MAX_INTEGER, MAX_TEXT, MAX_URL
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


def rule_of(field: Field) -> dict[str, Any]:
    """Return the rule that the kit derives from the model's field."""
    rule = _rule_of_value(field)
    return {"anyOf": [rule, {"bsonType": "null"}]} if field.optional else rule


def _rule_of_value(field: Field) -> dict[str, Any]:
    words = field.arguments
    text = {"bsonType": "string"}
    match field.type:
        case "text":
            return text | {"minLength": 1, "maxLength": int(words[0]) if words else MAX_TEXT}
        case "url":
            return text | {"maxLength": MAX_URL}
        case "email":
            return text | {"maxLength": MAX_EMAIL}
        case "date":
            return text | {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
        case "enum":
            return {"enum": [*words]}
        case "int":
            least, most = map(int, words) if words else (-MAX_INTEGER, MAX_INTEGER)
            return {"bsonType": KINDS["int"], "minimum": least, "maximum": most}
        case kind:
            return {"bsonType": KINDS[kind]}


def indexes(fields: Iterable[Field]) -> dict[str, str]:
    """Return the arguments of the indexes that fields have, by the names of the indexes."""
    found = {}
    for each in fields:
        if each.filter:
            found[f"{each.name}_filter"] = f'[("{each.name}", 1), ("_id", -1)]'
        elif each.type == "ref":
            found[f"{each.name}_ref"] = f'[("{each.name}", 1)]'
        if each.unique:
            kind = KINDS.get(each.type, "string")
            some = f'{{"{each.name}": {{"$type": {json.dumps(kind)}}}}}'
            found[f"{each.name}_unique"] = (
                f'[("{each.name}", 1)], unique=True, partialFilterExpression={some}'
            )
    return found
