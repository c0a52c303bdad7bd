"""Types of fields that mean the same in every feature, and that every database can keep."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

MAX_CONTENT = 255

# Unicode's White_Space property; str.isspace() counts four control characters too many.
_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

# The same as a pattern; what \S leaves out differs from one language to another.
_NOT_BLANK = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


def _readable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "The text must not contain NUL")
    if not text.strip(_WHITE_SPACE):
        raise PydanticCustomError("blank", "The text must not be blank")
    return text


# A page has dozens of times, and isoformat() takes half as long again.
_RFC3339 = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"


def _rfc3339(t: datetime) -> str:
    milliseconds = t.microsecond // 1000
    return _RFC3339 % (t.year, t.month, t.day, t.hour, t.minute, t.second, milliseconds)


Content = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_CONTENT,
        json_schema_extra={"pattern": _NOT_BLANK, "examples": ["Buy oat milk"]},
    ),
    AfterValidator(_readable),
]
Timestamp = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str),
    Field(json_schema_extra={"format": "date-time"}),
]
