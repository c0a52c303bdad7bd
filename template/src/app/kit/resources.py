"""The fields of a resource, read from its dataclass, and the rules of versions.

Databases derive columns, documents and rules from ``attributes``. So a field is described in one
place, and the order of the fields is not repeated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from pydantic.fields import FieldInfo

from app.kit.errors import NotFound, PreconditionFailed
from app.kit.ids import new_id, time_of

NOTHING: Mapping[str, Any] = MappingProxyType({})
LIMITS = ("min_length", "max_length", "ge", "le", "max_digits", "decimal_places")

Versions = frozenset[int] | None
"""The versions that a method accepts; ``None`` accepts any."""


ASCII = object()
"""Marks a text of ASCII alone, of which databases can index more characters."""


@dataclass(frozen=True)
class Ref:
    """That an id is one of another feature's, as in ``Annotated[Uuid, Ref("shelves")]``."""

    refers_to: str


class Resource(Protocol):
    """A dataclass with what the service keeps of every resource."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


R = TypeVar("R", bound=Resource)


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


def one(found: Iterable[R], expected: Versions, kind: str) -> R:
    """Return the resource that was found; ``kind`` is its name in messages.

    Raises ``NotFound`` without one, and ``PreconditionFailed`` if its version is not ``expected``.
    """
    for resource in found:
        require(resource, expected, kind)
        return resource
    raise NotFound(f"There is no such {kind}.")


def references(model: type) -> dict[str, str]:
    """Return the fields that refer to other features, and to which."""
    found = attributes(model) if is_dataclass(model) else ()
    return {each.name: each.refers_to for each in found if each.refers_to}


def require(resource: Resource, expected: Versions, kind: str) -> None:
    """Raise ``PreconditionFailed`` if the version of a resource is not ``expected``."""
    if expected is not None and resource.version not in expected:
        raise PreconditionFailed(f"The {kind} has changed.")


def made_now() -> dict[str, Any]:
    """Return what the service gives a new resource: an id, its times, and version 1."""
    made = new_id()
    time = time_of(made)
    return {"id": made, "version": 1, "created_at": time, "updated_at": time}


def as_first(resource: R, first_id: UUID, time: datetime) -> R:
    """Return the resource that the first request made, from the one of its repetition."""
    return replace(resource, id=first_id, created_at=time, updated_at=time)
