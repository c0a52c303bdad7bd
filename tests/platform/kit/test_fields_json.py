"""The types of fields: what JSON is taken for a value, and what is not."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, TypeAdapter, ValidationError, create_model

from app.kit.fields import Content, Date, Digits, Flag, Id, Integer, Moment, Text, Url, Uuid
from tests.kit.kept import ALL, MAX, Amount, Part


@pytest.mark.parametrize("name", ALL)
def test_json_has_every_value_exactly(name: str) -> None:
    annotation, values = ALL[name]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    for value in values:
        text = adapter.dump_json(value)
        assert adapter.validate_json(text, strict=True) == value
        assert adapter.validate_python(value) == value
        assert adapter.dump_json(adapter.validate_json(text)) == text


EXAMPLES: list[Any] = [
    Annotated[str, Text(80)],
    Annotated[str, Text(4)],
    Annotated[str, Text(80, 20)],
    Annotated[Decimal, Digits(12, 2)],
    Annotated[Decimal, Digits(2, 2)],
    Annotated[Decimal, Digits(18, 0)],
    Content,
    Integer,
    Integer | None,
    Url,
]


@pytest.mark.parametrize("annotation", EXAMPLES, ids=str)
def test_an_example_is_given_that_keeps_the_rules(annotation: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    schema = adapter.json_schema()

    for example in schema.get("anyOf", [schema])[0]["examples"]:
        adapter.validate_json(json.dumps(example), strict=True)


def test_an_example_is_not_outside_narrower_bounds() -> None:
    digit = create_model("Digit", value=(Annotated[Integer, Field(ge=5, le=9)], ...))

    assert "examples" not in digit.model_json_schema()["properties"]["value"]


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


def test_a_refused_amount_says_which_form_it_has() -> None:
    with pytest.raises(
        ValidationError, match=r"Not a string .* 16 digits before .* and 2 after it"
    ):
        TypeAdapter(Amount).validate_json("12.5")


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
