"""What a type of fields is, and the types without arguments, which the kit has, too."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from email_validator import validate_email

MAX_URL, MAX_EMAIL = 2_000, 254

Check = Callable[[str], object]
"""Returns something false for a value that breaks a rule, or raises ``ValueError``."""


def quoted(text: str) -> str:
    """Return a text as an expression of Python."""
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True)
class Type:
    """A type, with all its arguments, also if they were left out."""

    name: str
    arguments: tuple[Any, ...]
    annotation: str
    """In models, by the kit's names."""
    samples: tuple[str, ...]
    """Two values as JSON has them, written in Python; a reference has none."""
    check: Check = field(compare=False)
    python: Callable[[str], str] = field(compare=False, default=quoted)
    """Returns a value as an expression of Python."""

    def accepts(self, text: str) -> bool:
        """Return whether a value keeps the rule."""
        try:
            return bool(self.check(text))
        except ValueError:
            return False


def url_type() -> Type:
    def check(text: str) -> object:
        return re.fullmatch("https?://[!-~]+", text) and len(text) <= MAX_URL

    samples = '"https://example.com/?q=a%20b#top"', '"http://example.com/"'
    return Type("url", (), "Url", samples, check)


def email_type() -> Type:
    def normalized(text: str) -> str:
        return validate_email(text, check_deliverability=False).normalized

    def check(text: str) -> object:
        return normalized(text) and len(text) <= MAX_EMAIL

    samples = '"ada@example.com"', '"bob@example.com"'
    return Type("email", (), "Email", samples, check, lambda text: quoted(normalized(text)))


def bool_type() -> Type:
    return Type("bool", (), "Flag", ("False", "True"), ("true", "false").__contains__, str.title)


def date_type() -> Type:
    def check(text: str) -> object:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", text) and date.fromisoformat(text)

    samples, python = ('"2026-11-27"', '"9999-12-31"'), 'date.fromisoformat("{}")'.format
    return Type("date", (), "Date", samples, check, python)


def datetime_type() -> Type:
    def check(text: str) -> object:
        return datetime.fromisoformat(text).tzinfo

    def python(text: str) -> str:
        time = datetime.fromisoformat(text).astimezone(UTC)
        return f'datetime.fromisoformat("{time.isoformat(timespec="milliseconds")}")'

    samples = '"2026-11-27T12:00:00.000Z"', '"1815-12-10T09:30:00.123Z"'
    return Type("datetime", (), "Moment", samples, check, python)


def uuid_type() -> Type:
    nil = "00000000-0000-4000-8000-000000000000"
    samples = f'"{nil}"', f'"{nil.replace("0", "f")}"'
    return Type("uuid", (), "Uuid", samples, UUID, uuid_code)


def uuid_code(text: str) -> str:
    """Return a UUID as an expression of Python."""
    return f'UUID("{UUID(text)}")'
