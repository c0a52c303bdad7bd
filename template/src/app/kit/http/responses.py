"""What answers are like, also in the OpenAPI document."""

from dataclasses import dataclass
from http.client import responses
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from app.kit.resources import R

T = TypeVar("T")

RENAMED = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
"""The names of RFC 9110 where older versions of Python have others."""


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


class InvalidPart(BaseModel):
    """A part of a request that breaks a rule."""

    place: Literal["body", "query", "header"] = Field(alias="in")
    pointer: str = Field(description="JSON pointer (RFC 6901); empty for the body as a whole.")
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="`about:blank`: the status says what kind of problem it is.")
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[InvalidPart] = Field(
        default=[], description="What to correct: of a 422, and of a 409 if values are taken."
    )


def documented(*statuses: int, detail: str = "") -> Responses:
    """Return the OpenAPI entries of an operation's problems; their examples have the detail."""
    example = {"content": {"application/json": {"example": detail}}} if detail else {}
    return {s: {"model": Problem, "description": title(s), **example} for s in statuses}


def title(status: int) -> str:
    """Return the name of a status in RFC 9110."""
    return RENAMED.get(status) or responses.get(status, "Unknown")
