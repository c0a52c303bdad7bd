"""Exact decimal numbers."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class Digits:
    """An exact decimal number, in JSON a string, as in ``Annotated[Decimal, Digits(12, 2)]``.

    It has up to 18 digits in all, which fit into an integer of 64 bits.
    """

    max_digits: int
    decimal_places: int

    def __get_pydantic_core_schema__(self, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        as_text = core_schema.plain_serializer_function_ser_schema(
            f"{{:.{self.decimal_places}f}}".format, return_schema=core_schema.str_schema()
        )
        return core_schema.no_info_plain_validator_function(self._parse, serialization=as_text)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        example = f"{Decimal(1).scaleb(-self.decimal_places):f}"
        return {"type": "string", "pattern": self._pattern, "examples": [example]}

    @property
    def _whole_digits(self) -> int:
        return max(self.max_digits - self.decimal_places, 1)

    @property
    def _pattern(self) -> str:
        fraction = rf"(\.[0-9]{{1,{self.decimal_places}}})?" if self.decimal_places else ""
        return rf"^-?[0-9]{{1,{self._whole_digits}}}{fraction}$"

    def _parse(self, value: Any) -> Decimal:
        text = f"{value:f}" if isinstance(value, Decimal) else value
        if isinstance(text, str) and re.fullmatch(self._pattern, text):
            number = Decimal(value).quantize(Decimal(1).scaleb(-self.decimal_places))
            if len(number.as_tuple().digits) <= self.max_digits:
                return number + 0  # There is no -0.00.
        limits = {"digits": self._whole_digits, "places": self.decimal_places}
        message = "Not a string with a number of up to {digits} digits before the point"
        after = ", and {places} after it" if self.decimal_places else ""
        raise PydanticCustomError("decimal", f"{message}{after}", limits)
