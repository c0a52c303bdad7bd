"""Parameters that have the same meaning in every feature."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Request
from pydantic import BeforeValidator

from app.kit.errors import NotFound
from app.kit.idempotency import Key
from app.kit.ids import parse_id

_DIGITS = re.compile(r"[0-9]{1,9}")
NO_SUCH_PATH = "There is nothing at this path."
IDEMPOTENCY_KEY = "Idempotency-Key"


def path_id(request: Request, name: str) -> UUID:
    """Return an id of the path, or raise ``NotFound`` if it is malformed."""
    try:
        return parse_id(request.path_params[name])
    except ValueError:
        raise NotFound(NO_SUCH_PATH) from None


def given(**values: Any) -> dict[str, Any]:
    """Return the values of the parameters that a request has."""
    return {name: value for name, value in values.items() if value is not None}


def _digits(text: Any) -> Any:
    if isinstance(text, str) and not _DIGITS.fullmatch(text):
        raise ValueError("Not a number")
    return text


Id = Annotated[UUID, BeforeValidator(parse_id)]
Limit = Annotated[int, Query(ge=1, le=100), BeforeValidator(_digits)]
Cursor = Annotated[
    UUID | None,
    BeforeValidator(parse_id),
    Query(description="The `next_cursor` of the page before."),
]
IdempotencyKey = Annotated[
    Key | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        description="The same key with the same body again gets the first answer again.",
    ),
]
