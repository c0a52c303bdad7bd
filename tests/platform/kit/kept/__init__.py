"""Values of the types of fields, and how to keep them, a module a kind of database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from app.kit.fields import Content, Count, Date, Digits, Flag, Integer, Moment, Text, Url, Uuid

MAX = 2**53 - 1
Amount = Annotated[Decimal, Digits(18, 2)]
Part = Annotated[Decimal, Digits(18, 18)]

ORDERED: dict[str, tuple[Any, list[Any]]] = {
    "integer": (Integer, [-MAX, -(2**31) - 1, -1, 0, 1, 2**31, MAX]),
    "count": (Count, [0, 1, 2**31 - 1]),
    "amount": (
        Amount,
        [Decimal(n).scaleb(-2) for n in (1 - 10**18, -250, -1, 0, 1, 999, 1000, 10**18 - 1)],
    ),
    "part": (Part, [Decimal(n).scaleb(-18) for n in (1 - 10**18, -1, 0, 1, 10**18 - 1)]),
    "flag": (Flag, [False, True]),
    "date": (Date, [date(1, 1, 1), date(999, 12, 31), date(2026, 11, 27), date(9999, 12, 31)]),
    "moment": (
        Moment,
        [
            datetime(1, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
            datetime(2026, 11, 27, 12, 0, 0, 1000, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        ],
    ),
    "uuid": (Uuid, [UUID(int=n) for n in (0, 1, 2**63, 2**64, 2**127, 2**128 - 1)]),
}
TEXTS = ["a", "A", "a ", " a", "\u00e4", "a\u0308", "\U0001f600", "%", "null", "0", "ss", "\u00df"]

UNORDERED: dict[str, tuple[Any, list[Any]]] = {
    "content": (Content, TEXTS),
    "text": (Annotated[str, Text(2)], TEXTS[:4]),
    "url": (Url, ["https://example.com/a", "https://example.com/A"]),
    "choice": (Literal["new", "New", "read"], ["new", "New", "read"]),
}
ALL = ORDERED | UNORDERED
