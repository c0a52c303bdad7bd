"""Successful answers, and their headers in the OpenAPI document."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from app.kit.resources import R

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Data(Generic[T]):
    """One resource."""

    data: T


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Resources, newest first; the last page has no ``next_cursor``."""

    data: list[T]
    next_cursor: UUID | None


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


REQUEST_ID_HEADER = _header("The request's id: the caller's `X-Request-ID`, or a new one.")
_ETAG = {"ETag": _header("The entity tag of the resource's present version.")}
_LOCATION = {"Location": _header("The path of what was created.")}

Responses = dict[int | str, dict[str, Any]]
TAGGED: Responses = {200: {"headers": _ETAG}}
CREATED: Responses = {201: {"headers": _ETAG | _LOCATION}}
NOT_MODIFIED: Responses = {304: {"headers": _ETAG, "description": "Not Modified"}}


def to_page(found: list[R], limit: int) -> Page[R]:
    """Return a page; one resource more than ``limit`` means that there is a next one."""
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)
