"""A field as the templates see it: its type, default and samples in the code."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from email_validator import validate_email
from specification import Field

KIT_TYPES = {
    "url": "Url",
    "email": "Email",
    "int": "Integer",
    "bool": "Flag",
    "date": "Date",
    "datetime": "Moment",
    "uuid": "Uuid",
}

SAMPLES = {
    "url": ('"https://example.com/?q=a%20b#top"', '"http://example.com/"'),
    "email": ('"ada@example.com"', '"bob@example.com"'),
    "bool": ("False", "True"),
    "date": ('"2026-11-27"', '"9999-12-31"'),
    "datetime": ('"2026-11-27T12:00:00.000Z"', '"1815-12-10T09:30:00.123Z"'),
    "uuid": (f'"{"0" * 8}-0000-4000-8000-{"0" * 12}"', '"ffffffff-ffff-4fff-8fff-ffffffffffff"'),
}
"""Two values of each type as JSON has them, written in Python."""


@dataclass(frozen=True)
class View:
    """A field as the templates see it; ``owner`` is the class that has it."""

    field: Field
    owner: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.field, name)

    @property
    def is_ref(self) -> bool:
        """Whether it refers to another feature."""
        return self.field.type == "ref"

    @property
    def alias(self) -> str:
        """The name of its type, where that says more than one of the kit's."""
        if self.field.type in ("text", "decimal", "enum", "ref") or self.field.arguments:
            return f"{self.owner}{camel(self.field.name)}"
        return ""

    @property
    def type(self) -> str:
        """Its type, without whether it is optional."""
        words = self.field.arguments
        match self.field.type:
            case "text":
                return f"Annotated[str, Text({words[0] if words else 255})]"
            case "decimal":
                return f"Annotated[Decimal, Digits({words[0]}, {words[1]})]"
            case "enum":
                return f"Literal[{', '.join(map(json.dumps, words))}]"
            case "ref":
                return f'Annotated[Uuid, Ref("{words[0]}")]'
            case "int" if words:
                return f"Annotated[Integer, Field(ge={words[0]}, le={words[1]})]"
            case kind:
                return KIT_TYPES[kind]

    @property
    def annotation(self) -> str:
        """Its type where it is a field."""
        return (self.alias or self.type) + " | None" * self.field.optional

    @property
    def filter_annotation(self) -> str:
        """Its type as a parameter of the list, where all values are texts."""
        words = self.field.arguments
        match self.field.type:
            case "bool":
                return "bool | None"
            case "int":
                limits = words or (str(-(2**53) + 1), str(2**53 - 1))
                return f"Annotated[int | None, Query(ge={limits[0]}, le={limits[1]})]"
            case _:
                return f"{self.alias or self.type} | None"

    @property
    def default(self) -> str:
        """Its default as an expression of Python; empty without one."""
        if self.field.default is None:
            return "None" if self.field.optional else ""
        return self.python(self.field.default)

    def python(self, value: str) -> str:
        """Return a value of a specification as an expression of Python."""
        match self.field.type:
            case "int":
                return str(int(value))
            case "bool":
                return value.title()
            case "decimal":
                number = Decimal(value) + 0  # There is no -0.00.
                return f'Decimal("{number:.{self.field.arguments[1]}f}")'
            case "date":
                return f'date.fromisoformat("{value}")'
            case "datetime":
                time = datetime.fromisoformat(value).astimezone(UTC)
                return f'datetime.fromisoformat("{time.isoformat(timespec="milliseconds")}")'
            case "uuid" | "ref":
                return f'UUID("{UUID(value)}")'
            case "email":
                return json.dumps(validate_email(value, check_deliverability=False).normalized)
            case _:
                return json.dumps(value, ensure_ascii=False)

    @property
    def samples(self) -> tuple[str, str]:
        """Two of its values as JSON has them, written in Python; a reference has none."""
        words = self.field.arguments
        match self.field.type:
            case "text":
                length = int(words[0]) if words else None
                return json.dumps("one"[:length]), json.dumps("two"[:length])
            case "enum":
                return json.dumps(words[0]), json.dumps(words[-1])
            case "int":
                return (words[0], words[1]) if words else ("0", str(2**53 - 1))
            case "decimal":
                places = int(words[1])
                digits = "9" * (int(words[0]) - places) or "0"
                zero, nines = "0" * places, "9" * places
                return f'"0{"." * bool(places)}{zero}"', f'"{digits}{"." * bool(places)}{nines}"'
            case kind:
                return SAMPLES[kind]


def camel(name: str) -> str:
    """Return a name in the form of classes."""
    return "".join(map(str.capitalize, name.split("_")))
