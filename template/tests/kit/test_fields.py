"""The types of fields: what JSON is taken, and that databases keep value, order and uniqueness."""

import random
from dataclasses import make_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib import import_module
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from app.kit.fields import Content, Count, Date, Digits, Flag, Id, Integer, Moment, Text, Url, Uuid
from app.kit.ids import new_id
from app.kit.storage import Storage
from tests.kit.support import ENGINE

KEPT = import_module(f"tests.kit.kept.{ENGINE.KIND}")

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


def instances(annotation: Any, values: list[Any]) -> list[Any]:
    model: Any = make_dataclass("Value", [("id", Id), ("value", annotation)], slots=True)
    return [model(new_id(), value) for value in values]


@pytest.mark.parametrize("name", ALL)
async def test_databases_keep_value_order_and_uniqueness(storage: Storage, name: str) -> None:
    made = instances(*ALL[name])
    values = KEPT.Values(storage, f"values_{name}", type(made[0]))
    await values.create()

    for each in random.Random(1).sample(made, len(made)):
        await values.add(each)

    found = await values.in_order()
    assert {each.id: each for each in found} == {each.id: each for each in made}
    assert all(isinstance(each.value, type(made[0].value)) for each in found)
    if name in ORDERED:
        assert found == made
    for each in made:
        assert await values.equal(each.value) == [each]
        with pytest.raises(KEPT.TAKEN):
            await values.add(type(each)(new_id(), each.value))


@pytest.mark.parametrize("name", ALL)
async def test_null_is_kept_where_it_is_allowed(storage: Storage, name: str) -> None:
    (made,) = instances(ALL[name][0] | None, [None])
    values = KEPT.Values(storage, f"nulls_{name}", type(made))
    await values.create()

    await values.add(made)

    assert await values.in_order() == [made]


@pytest.mark.parametrize("name", ALL)
def test_json_has_every_value_exactly(name: str) -> None:
    annotation, values = ALL[name]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    for value in values:
        text = adapter.dump_json(value)
        assert adapter.validate_json(text, strict=True) == value
        assert adapter.validate_python(value) == value
        assert adapter.dump_json(adapter.validate_json(text)) == text


TAKEN: list[tuple[Any, str, Any]] = [
    (Amount, '"12.5"', Decimal("12.50")),
    (Amount, '"-0"', Decimal("0.00")),
    (Moment, '"2026-11-27T12:00:00+02:00"', datetime(2026, 11, 27, 10, tzinfo=UTC)),
    (Moment, '"2026-11-27t12:00:00.123999z"', datetime(2026, 11, 27, 12, 0, 0, 123000, UTC)),
    (Uuid, f'"{str(UUID(int=255)).upper()}"', UUID(int=255)),
]


def test_other_ways_to_write_a_value_are_taken() -> None:
    for annotation, text, value in TAKEN:
        found = TypeAdapter(annotation).validate_json(text)

        assert (found, str(found)) == (value, str(value))


def test_a_time_of_another_zone_becomes_one_in_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=30))

    found = TypeAdapter(Moment).validate_python(datetime(2026, 1, 1, tzinfo=there))

    assert (found, found.utcoffset()) == (datetime(2025, 12, 31, 18, 30, tzinfo=UTC), timedelta(0))


REFUSED: dict[str, tuple[Any, list[str]]] = {
    "integer": (Integer, ['"1"', "1.0", "true", str(MAX + 1), str(-MAX - 1), "null"]),
    "flag": (Flag, ["0", "1", '"true"', "null"]),
    "amount": (Amount, ["12.5", "1", '"1.234"', '"1e2"', '"+1"', '".5"', '"NaN"', '" 1"', '""']),
    "large amount": (Amount, ['"10000000000000000.00"', '"10000000000000000"', '"\u0661"']),
    "part": (Part, ['"1"', '"1.0"', '"-1"']),
    "date": (Date, ['"2026-02-29"', '"20261127"', '"0000-01-01"', '"2026-1-1"', '""', "0", "null"]),
    "time as date": (Date, ['"2026-11-27T00:00:00Z"', "1767225600"]),
    "moment": (Moment, ['"2026-11-27T24:00:00Z"', '"2026-11-27T12:60:00Z"', '"now"', "1767225600"]),
    "no zone": (Moment, ['"2026-11-27"', '"2026-11-27T12:00:00"', '"2026-11-27 12:00:00Z"']),
    "years": (Moment, ['"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59-01:00"']),
    "uuid": (Uuid, ["1", f'"{UUID(int=1).hex}"', f'"{{{UUID(int=1)}}}"', '""', "null"]),
    "id": (Id, [f'"{UUID(int=1)}"']),
    "url": (Url, ['""', '"example.com"', '"https://"', '"ftp://a"', '"https://a b"']),
    "long url": (Url, [f'"https://{"a" * 1993}"']),
    "text": (Annotated[str, Text(2)], ['""', '" "', '"abc"', '"\\u0000"', "1", "null"]),
    "choice": (Literal["new"], ['"New"', '""', "null"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_value_is_refused(name: str) -> None:
    annotation, texts = REFUSED[name]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    for text in texts:
        with pytest.raises(ValidationError):
            adapter.validate_json(text)
