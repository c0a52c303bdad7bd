"""Entity tags and the headers that compare them (RFC 9110, 8.8.3 and 13)."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Header, HTTPException, Response
from pydantic import BeforeValidator, WithJsonSchema

from app.kit.http.responses import Data
from app.kit.resources import R

_MEMBER = re.compile(r'[\s,]*(?:(W/)?"([^"]*)"|(\*))(?=[\s,]|$)[\s,]*')
UNQUOTED = 'An entity tag stands in quotes, as in If-Match: "1".'
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def etag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def tagged(resource: R, response: Response) -> Data[R]:
    """Return a resource, and set the ``ETag`` of its version."""
    response.headers["ETag"] = etag(resource.version)
    return Data(resource)


def stop_if_current(if_none_match: Iterable[str], version: int) -> None:
    """Raise a 304 if ``If-None-Match`` names this version; the comparison is weak."""
    if any(star or tag == str(version) for _, tag, star in _members(if_none_match)):
        raise HTTPException(304, headers={"ETag": etag(version)})


def _expected(if_match: Iterable[str]) -> frozenset[int] | None:
    members = _members(if_match)
    if any(star for _, _, star in members):
        return None
    return frozenset(int(tag) for weak, tag, _ in members if not weak and _VERSION.fullmatch(tag))


def never_matches(if_match: Sequence[str]) -> str | None:
    """Return why an ``If-Match`` allows no version: it is malformed or weak; else ``None``."""
    members = _members(if_match)
    if if_match and not members:
        return UNQUOTED
    if members and all(weak for weak, _, _ in members):
        return 'A weak entity tag, as in W/"1", never matches If-Match: send "1".'
    return None


def _members(lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return ``W/``, text and ``*`` of each tag; an empty list if one is malformed."""
    found, text, position = [], ",".join(lines), 0
    while position < len(text):
        member = _MEMBER.match(text, position)
        if not member:
            return []
        found.append((member[1] or "", member[2] or "", member[3] or ""))
        position = member.end()
    return found


_LIST_OF_TAGS = WithJsonSchema({"type": "array", "items": {"type": "string"}})

_TAGS = 'Entity tags in quotes, as in `"1"`, or `*`: '

IfMatch = Annotated[
    frozenset[int] | None,
    BeforeValidator(_expected),
    _LIST_OF_TAGS,
    Header(description=f"{_TAGS}go on only if one is the resource's now."),
]
"""The versions that ``If-Match`` allows, ``None`` for any; a weak or foreign tag allows none."""

IfNoneMatch = Annotated[
    Sequence[str], Header(description=f"{_TAGS}304 if one is the resource's now.")
]
