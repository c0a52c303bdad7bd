"""Ids, and references to them."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from app.kit.ids import parse_id


def _made_here(value: UUID) -> UUID:
    if value.version != 7:
        raise PydanticCustomError("uuid7", "Not a UUID of version 7")
    return value


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else parse_id(value)


Id = Annotated[UUID, AfterValidator(_made_here)]
"""An id made by the service."""

Uuid = Annotated[UUID, BeforeValidator(_uuid)]
