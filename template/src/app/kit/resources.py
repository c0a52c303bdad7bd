"""What every resource has: an id, a version and times; and the rules of versions."""

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from app.kit.errors import NotFound, PreconditionFailed
from app.kit.ids import new_id, time_of

NOTHING: Mapping[str, Any] = MappingProxyType({})

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


def one(found: Iterable[R], expected: Versions, kind: str) -> R:
    """Return the resource that was found; ``kind`` is its name in messages.

    Raises ``NotFound`` without one, and ``PreconditionFailed`` if its version is not ``expected``.
    """
    for resource in found:
        require(resource, expected, kind)
        return resource
    raise NotFound(f"There is no such {kind}.")


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
