"""Whole numbers and booleans."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

_MAX_COUNT = 2**31 - 1
_MAX_INTEGER = 2**53 - 1  # Every client of JSON reads these exactly.


def _countable(number: int) -> int:
    if number > _MAX_COUNT:
        raise PydanticCustomError("count", "Greater than every database can keep")
    return number


def _with_example(schema: dict[str, Any]) -> None:
    """Give an example, where pages of documentation would take the lowest number."""
    if schema["minimum"] < 1 <= schema["maximum"]:
        schema["examples"] = [1]


Count = Annotated[int, Field(ge=0), AfterValidator(_countable)]
Version = Annotated[int, Field(ge=1), AfterValidator(_countable)]
Integer = Annotated[
    int, Field(strict=True, ge=-_MAX_INTEGER, le=_MAX_INTEGER, json_schema_extra=_with_example)
]
Flag = Annotated[bool, Strict()]
