"""How MongoDB stores the values of Python's types: their rules, reading and writing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import methodcaller
from typing import Any, Literal
from uuid import UUID

from bson import Binary, Decimal128
from bson.binary import UUID_SUBTYPE
from pydantic_core import CoreSchema
from pydantic_core import core_schema as core

from app.kit.attributes import Attribute

FIRST_UUID, LAST_UUID = Binary(bytes(16), UUID_SUBTYPE), Binary(b"\xff" * 16, UUID_SUBTYPE)
"""MongoDB sorts all UUIDs between these, and nothing else."""

Rule = dict[str, Any]
"""A part of a ``$jsonSchema``."""

_LIMITS = {"min_length": "minLength", "max_length": "maxLength", "ge": "minimum", "le": "maximum"}
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True)
class Kind:
    """How values of a type are stored; without ``write``, they are not converted."""

    rule: Callable[[Attribute], Rule]
    read: Callable[[Attribute], CoreSchema]
    write: Callable[[Any], Any] | None = None


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    raise ValueError("not a decimal")


def _limited(rule: Rule) -> Callable[[Attribute], Rule]:
    return lambda each: rule | {_LIMITS[name]: limit for name, limit in each.limits.items()}


KINDS: Mapping[Any, Kind] = {
    UUID: Kind(lambda _: {"bsonType": "binData"}, lambda _: core.is_instance_schema(UUID)),
    str: Kind(
        _limited({"bsonType": "string"}), lambda each: core.str_schema(strict=True, **each.limits)
    ),
    int: Kind(
        _limited({"bsonType": ["int", "long"]}),
        lambda each: core.int_schema(strict=True, **each.limits),
    ),
    bool: Kind(lambda _: {"bsonType": "bool"}, lambda _: core.bool_schema(strict=True)),
    datetime: Kind(lambda _: {"bsonType": "date"}, lambda _: core.is_instance_schema(datetime)),
    date: Kind(  # MongoDB has no dates; these texts sort like dates.
        lambda _: {"bsonType": "string", "pattern": _DATE},
        lambda _: core.chain_schema(
            [core.str_schema(strict=True, pattern=_DATE), core.date_schema()]
        ),
        methodcaller("isoformat"),
    ),
    Decimal: Kind(
        lambda _: {"bsonType": "decimal"},
        lambda _: core.no_info_plain_validator_function(_decimal),
        Decimal128,
    ),
    Literal: Kind(
        lambda each: {"enum": list(each.choices)},
        lambda each: core.literal_schema(list(each.choices)),
    ),
}
