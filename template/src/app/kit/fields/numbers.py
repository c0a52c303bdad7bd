"""Whole numbers and booleans."""

from typing import Annotated

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

_MAX_COUNT = 2**31 - 1
_MAX_INTEGER = 2**53 - 1  # Every client of JSON reads these exactly.


def _countable(number: int) -> int:
    if number > _MAX_COUNT:
        raise PydanticCustomError("count", "Greater than every database can keep")
    return number


Count = Annotated[int, Field(ge=0), AfterValidator(_countable)]
Version = Annotated[int, Field(ge=1), AfterValidator(_countable)]
Integer = Annotated[int, Field(strict=True, ge=-_MAX_INTEGER, le=_MAX_INTEGER)]
Flag = Annotated[bool, Strict()]
