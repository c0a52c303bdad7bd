"""Texts."""

from dataclasses import dataclass
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.kit.resources import ASCII

MAX_CONTENT = 255

# Unicode's White_Space property; str.isspace() counts four control characters too many.
_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

# The same as a pattern; the meaning of \S differs between languages.
_NOT_BLANK = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "The text must not contain NUL")
    return text


def _readable(text: str) -> str:
    if not _without_nul(text).strip(_WHITE_SPACE):
        raise PydanticCustomError("blank", "The text must not be blank")
    return text


@dataclass(frozen=True)
class Text:
    """A text without NUL, as in ``Annotated[str, Text(80)]``.

    It is not blank, unless ``min_length`` is 0.
    """

    max_length: int
    min_length: int = 1

    def __get_pydantic_core_schema__(self, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(min_length=self.min_length, max_length=self.max_length)
        check = _readable if self.min_length else _without_nul
        return core_schema.no_info_after_validator_function(check, text)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if not self.min_length:
            return handler(schema)
        example = "Some text".ljust(self.min_length, ".")[: self.max_length]
        return handler(schema) | {"pattern": _NOT_BLANK, "examples": [example]}


Content = Annotated[str, Text(MAX_CONTENT), Field(examples=["Buy oat milk"])]
Url = Annotated[
    str,
    Field(max_length=2000, pattern="^https?://[!-~]+$", examples=["https://example.com/"]),
    ASCII,
]


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise PydanticCustomError("email", "Not an address of email") from None


Email = Annotated[
    str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(_email)
]
