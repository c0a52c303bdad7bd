"""The types of fields: what each makes of its arguments, as they were typed."""

import re
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from kit_types import (
    Type,
    bool_type,
    date_type,
    datetime_type,
    email_type,
    quoted,
    url_type,
    uuid_code,
    uuid_type,
)
from names import NAME

MAX_TEXT, MAX_LONG_TEXT = 255, 10_000
MAX_INTEGER = 2**53 - 1
MAX_DIGITS = 18

VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _text(length: str = str(MAX_TEXT)) -> Type:
    most = _number(length, "the length")
    if not 1 <= most <= MAX_LONG_TEXT:
        raise ValueError(f"its length is 1 to {MAX_LONG_TEXT:,}")

    def check(text: str) -> object:
        return 0 < len(text) <= most and text.strip() and "\0" not in text

    samples = quoted("one"[:most]), quoted("two"[:most])
    return Type("text", (most,), f"Annotated[str, Text({most})]", samples, check)


def _int(*bounds: str) -> Type:
    if len(bounds) not in (0, 2):
        raise TypeError
    low, high = map(_number, bounds or (str(-MAX_INTEGER), str(MAX_INTEGER)))
    if not -MAX_INTEGER <= low <= high <= MAX_INTEGER:
        raise ValueError(f"its bounds ascend, within ±{MAX_INTEGER}")
    annotation = f"Annotated[Integer, Field(ge={low}, le={high})]" if bounds else "Integer"
    samples = str(low if bounds else 0), str(high)

    def check(text: str) -> object:
        return low <= _number(text, "it") <= high

    return Type("int", (low, high), annotation, samples, check, lambda text: str(int(text)))


def _decimal(precision: str, scale: str) -> Type:
    digits, places = _number(precision, "the precision"), _number(scale, "the scale")
    if not (1 <= digits <= MAX_DIGITS and 0 <= places <= digits):
        raise ValueError(
            f"decimal(p,s) has p of 1 to {MAX_DIGITS} digits, s of them after the point"
        )
    fraction = rf"(\.[0-9]{{1,{places}}})?" if places else ""
    form = rf"-?[0-9]{{1,{digits - places or 1}}}{fraction}"

    def check(text: str) -> object:
        return re.fullmatch(form, text) and abs(Decimal(text)).scaleb(places) < 10**digits

    def python(text: str) -> str:
        return f'Decimal("{Decimal(text) + 0:.{places}f}")'  # There is no -0.00.

    samples = f'"{0:.{places}f}"', f'"{Decimal(10**digits - 1).scaleb(-places):f}"'
    annotation = f"Annotated[Decimal, Digits({digits}, {places})]"
    return Type("decimal", (digits, places), annotation, samples, check, python)


def _enum(*values: str) -> Type:
    if not values or len(set(values)) < len(values) or not all(map(VALUE.fullmatch, values)):
        raise ValueError("enum(a,b) names its values, each once, of letters, digits and . _ -")
    names = [*map(quoted, values)]
    samples = names[0], names[-1]
    return Type("enum", values, f"Literal[{', '.join(names)}]", samples, values.__contains__)


def _ref(feature: str) -> Type:
    if not NAME.fullmatch(feature):
        raise ValueError("ref(feature) names a feature")
    return Type("ref", (feature,), f'Annotated[Uuid, Ref("{feature}")]', (), UUID, uuid_code)


def _number(text: str, what: str = "a bound") -> int:
    if not re.fullmatch("-?(0|[1-9][0-9]{0,15})", text):
        raise ValueError(f"{what} is a whole number")
    return int(text)


TYPES: dict[str, Callable[..., Type]] = {
    "text": _text,
    "url": url_type,
    "email": email_type,
    "int": _int,
    "decimal": _decimal,
    "bool": bool_type,
    "date": date_type,
    "datetime": datetime_type,
    "uuid": uuid_type,
    "enum": _enum,
    "ref": _ref,
}
"""Each raises ``ValueError`` for wrong arguments, and ``TypeError`` for another number of them."""

FORMS = {
    "text": "write text or text(80)",
    "int": "write int or int(1,10)",
    "decimal": "write decimal(12,2)",
    "ref": "write ref(feature)",
}
