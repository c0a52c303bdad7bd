"""Times and dates, which JSON has as strings."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.kit.ids import EPOCH

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}"
_WRITTEN_HERE = re.compile(rf"{_DATE}T{_TIME}\.[0-9]{{3}}Z")
_RFC3339 = re.compile(rf"{_DATE}T{_TIME}(\.[0-9]+)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})", re.IGNORECASE)

_INFINITE = datetime.min.replace(tzinfo=UTC)  # For some drivers, this is minus infinity.

# A page has dozens of times, and isoformat() takes twice as long.
_TWO, _THREE = [f"{n:02}" for n in range(60)], [f"{n:03}" for n in range(1000)]


def _text(t: datetime) -> str:
    day = f"{t.year:04}-{_TWO[t.month]}-{_TWO[t.day]}"
    time = f"{_TWO[t.hour]}:{_TWO[t.minute]}:{_TWO[t.second]}"
    return f"{day}T{time}.{_THREE[t.microsecond // 1000]}Z"


def _timestamp(text: Any) -> datetime:
    if isinstance(text, str) and _WRITTEN_HERE.fullmatch(text):
        time = datetime.fromisoformat(text)
        if time >= EPOCH:
            return time
    raise PydanticCustomError("time", "Not a time in UTC with milliseconds, from 1970 on")


def _moment(value: Any) -> datetime:
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            value = datetime.fromisoformat(value.upper())
        if isinstance(value, datetime) and value.tzinfo:
            time = value.astimezone(UTC)
            time = time.replace(microsecond=time.microsecond // 1000 * 1000)
            if time > _INFINITE:
                return time
    except (ValueError, OverflowError):
        pass
    text = "Not a time with its offset from UTC, as in 2026-11-27T12:00:00Z"
    raise PydanticCustomError("moment", text)


def _date(value: Any) -> date:
    try:
        if isinstance(value, str) and re.fullmatch(_DATE, value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    if type(value) is date:
        return value
    raise PydanticCustomError("date", "Not a date, as in 2026-11-27")


Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    PlainSerializer(_text, return_type=str),
    Field(json_schema_extra={"format": "date-time"}),
]
"""A time made by the service."""

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time sent by a client, with any offset; stored in UTC, truncated to milliseconds."""

Date = Annotated[date, BeforeValidator(_date)]
