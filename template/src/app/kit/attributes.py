"""The fields of a resource, read from its dataclass.

Databases derive columns, documents and rules from ``attributes``. So a field is described in one
place, and the order of the fields is not repeated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from app.kit.resources import ASCII, Ref

LIMITS = ("min_length", "max_length", "ge", "le", "max_digits", "decimal_places")


@dataclass(frozen=True)
class Attribute:
    """A field of a dataclass: its type and limits, without its form in JSON.

    ``type`` is ``Literal`` if the values are ``choices``; for a list, it is the type of the items.
    ``refers_to`` is the feature whose ids the values are, if any.
    ``default`` is what was kept without this field has; ``...`` if nothing was.
    """

    name: str
    type: Any
    limits: Mapping[str, Any]
    choices: tuple[str, ...] = ()
    is_ascii: bool = False
    is_list: bool = False
    is_nullable: bool = False
    default: Any = ...
    refers_to: str = ""

    @property
    def has_default(self) -> bool:
        """Whether it may be missing where it is kept."""
        return self.default is not ...

    @property
    def is_scalar(self) -> bool:
        """Whether one column can hold it."""
        return not self.is_list and not is_dataclass(self.type)


@cache
def attributes(model: type) -> tuple[Attribute, ...]:
    """Return the fields of a dataclass, in their order."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        _attribute(each.name, hints[each.name], ... if each.default is MISSING else each.default)
        for each in fields(model)
    )


def _limits(rules: Iterable[Any]) -> dict[str, Any]:
    return {
        name: limit
        for rule in rules
        for name in LIMITS
        if (limit := getattr(rule, name, None)) is not None
    }


def _attribute(name: str, annotation: Any, default: Any = ...) -> Attribute:
    info = FieldInfo.from_annotation(annotation)
    if not info.is_required():
        default = info.default
    arguments = get_args(info.annotation)
    limits = _limits(info.metadata)
    origin = get_origin(info.annotation)
    if origin in (Union, UnionType) and NoneType in arguments:
        (other,) = (each for each in arguments if each is not NoneType)
        return replace(_attribute(name, other, default), is_nullable=True)
    if origin is list:
        return Attribute(name, arguments[0], limits, is_list=True)
    if origin is Literal:
        return Attribute(name, Literal, limits, choices=arguments, default=default)
    refers_to = next((rule.refers_to for rule in info.metadata if isinstance(rule, Ref)), "")
    is_ascii = ASCII in info.metadata
    return Attribute(
        name, info.annotation, limits, is_ascii=is_ascii, default=default, refers_to=refers_to
    )


def references(model: type) -> dict[str, str]:
    """Return the fields that refer to other features, and to which."""
    found = attributes(model) if is_dataclass(model) else ()
    return {each.name: each.refers_to for each in found if each.refers_to}
