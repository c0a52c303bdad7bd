"""Types of fields of records: of the form that dumps are written in, and no other."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.kit.fields import Timestamp

STRICT = ConfigDict(extra="forbid", strict=True)
MAX_INTEGER = 2**31 - 1

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def _time(text: Any) -> datetime:
    if isinstance(text, str) and _TIME.fullmatch(text):
        time = datetime.fromisoformat(text)
        if time >= _1970:
            return time
    raise PydanticCustomError("time", "Not a time in UTC with milliseconds, from 1970 on")


Time = Annotated[Timestamp, BeforeValidator(_time)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Version = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
