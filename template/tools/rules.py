"""The rules of the types of fields: for their arguments, and for a default."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from email_validator import validate_email
from names import NAME

MAX_TEXT, MAX_LONG_TEXT, MAX_URL, MAX_EMAIL = 255, 10_000, 2_000, 254
MAX_INTEGER = 2**53 - 1
MAX_DIGITS = 18

VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _number(text: str, what: str) -> int:
    if not re.fullmatch("-?(0|[1-9][0-9]{0,15})", text):
        raise ValueError(f"{what} is a whole number")
    return int(text)


def _text(length: str = str(MAX_TEXT)) -> Callable[[str], object]:
    most = _number(length, "the length")
    if not 1 <= most <= MAX_LONG_TEXT:
        raise ValueError(f"its length is 1 to {MAX_LONG_TEXT:,}")
    return lambda text: _require(0 < len(text) <= most and text.strip() and "\0" not in text)


def _int(least: str = str(-MAX_INTEGER), most: str = str(MAX_INTEGER)) -> Callable[[str], object]:
    low, high = _number(least, "a bound"), _number(most, "a bound")
    if not -MAX_INTEGER <= low <= high <= MAX_INTEGER:
        raise ValueError(f"its bounds ascend, within ±{MAX_INTEGER}")
    return lambda text: _require(low <= _number(text, "it") <= high)


def _decimal(precision: str, scale: str) -> Callable[[str], object]:
    digits, places = _number(precision, "the precision"), _number(scale, "the scale")
    if not (1 <= digits <= MAX_DIGITS and 0 <= places <= digits):
        raise ValueError(
            f"decimal(p,s) has p of 1 to {MAX_DIGITS} digits, s of them after the point"
        )
    form = re.compile(rf"-?[0-9]{{1,{digits - places or 1}}}(\.[0-9]{{1,{places or 1}}})?")
    return lambda text: _require(
        form.fullmatch(text) and abs(Decimal(text)).scaleb(places) < 10**digits
    )


def _enum(*values: str) -> Callable[[str], object]:
    if not values or len(set(values)) < len(values) or not all(map(VALUE.fullmatch, values)):
        raise ValueError("enum(a,b) names its values, each once, of letters, digits and . _ -")
    return lambda text: _require(text in values)


def _ref(feature: str) -> Callable[[str], object]:
    if not NAME.fullmatch(feature):
        raise ValueError("ref(feature) names a feature")
    return UUID


def _require(holds: object) -> None:
    if not holds:
        raise ValueError


def _url(text: str) -> None:
    _require(re.fullmatch("https?://[!-~]+", text) and len(text) <= MAX_URL)


def _email(text: str) -> None:
    validate_email(text, check_deliverability=False)
    _require(len(text) <= MAX_EMAIL)


def _date(text: str) -> None:
    _require(re.fullmatch(r"\d{4}-\d\d-\d\d", text) and date.fromisoformat(text))


def _datetime(text: str) -> None:
    _require(datetime.fromisoformat(text).tzinfo)


TYPES: dict[str, Callable[..., Callable[[str], object]]] = {
    "text": _text,
    "url": lambda: _url,
    "email": lambda: _email,
    "int": _int,
    "decimal": _decimal,
    "bool": lambda: lambda text: _require(text in ("true", "false")),
    "date": lambda: _date,
    "datetime": lambda: _datetime,
    "uuid": lambda: UUID,
    "enum": _enum,
    "ref": _ref,
}
"""What each type makes of its arguments: what raises for a value that breaks its rule."""

FORMS = {
    "text": "write text or text(80)",
    "int": "write int or int(1,10)",
    "decimal": "write decimal(12,2)",
    "ref": "write ref(feature)",
} | dict.fromkeys(("url", "email", "bool", "date", "datetime", "uuid"), "it takes no arguments")
