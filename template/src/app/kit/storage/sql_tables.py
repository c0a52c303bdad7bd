"""Columns of tables, derived from the fields of dataclasses."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from app.kit.attributes import Attribute, attributes
from app.kit.idempotency import MAX_KEY, FirstRequest
from app.kit.resources import Versions

MAX_CHOICE = 64  # Fixed, so that another choice needs no revision.


class Ascii(sa.String):
    """A text of ASCII alone, with an index where others of its length would be too long for one."""


def _string(attribute: Attribute) -> sa.String:
    return (Ascii if attribute.is_ascii else sa.String)(attribute.limits["max_length"])


def _integer(attribute: Attribute) -> sa.Integer:
    is_small = max(abs(attribute.limits.get(limit, 0)) for limit in ("ge", "le")) < 2**31
    return sa.Integer() if is_small else sa.BigInteger()


def _numeric(attribute: Attribute) -> sa.Numeric[Decimal]:
    limits = attribute.limits
    return sa.Numeric(limits["max_digits"], limits["decimal_places"])


TYPES: Mapping[Any, Callable[[Attribute], sa.types.TypeEngine[Any]]] = {
    UUID: lambda _: sa.Uuid(),
    str: _string,
    int: _integer,
    bool: lambda _: sa.Boolean(),
    date: lambda _: sa.Date(),
    datetime: lambda _: sa.DateTime(timezone=True),
    Decimal: _numeric,
    Literal: lambda _: sa.String(MAX_CHOICE),
}
"""The SQL type of a Python type; the dialects store its values exactly."""


def _text(default: Any) -> str | None:
    """Return a default as every database reads it, for rows that were made without the column."""
    if default is None or default is ...:
        return None
    return str(int(default)) if isinstance(default, bool) else str(default)


THIS_ID = sa.bindparam("this_id", type_=sa.Uuid())
LIMIT = sa.bindparam("limit", type_=sa.Integer())
REQUEST = ("idempotency_key", "content_sha256")


class Base:
    """The schema of all features; migrations are made from it."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@cache
def names(model: type) -> tuple[str, ...]:
    """Return the names of the fields that are columns, in order."""
    return tuple(attribute.name for attribute in attributes(model) if attribute.is_scalar)


def columns(model: type) -> list[sa.Column[Any]]:
    """Return new columns for the fields of a dataclass; ``id`` is in the primary key."""
    return [
        sa.Column(
            attribute.name,
            TYPES[attribute.type](attribute),
            *([sa.ForeignKey(f"{attribute.refers_to}.id")] if attribute.refers_to else []),
            primary_key=attribute.name == "id",
            nullable=attribute.is_nullable,
            server_default=_text(attribute.default),
        )
        for attribute in attributes(model)
        if attribute.is_scalar
    ]


def selected(table: sa.Table, model: type) -> tuple[sa.Column[Any], ...]:
    """Return a table's columns for a dataclass, in the order of its fields."""
    return tuple(table.c[name] for name in names(model))


def row(model: type, resource: Any) -> dict[str, Any]:
    """Return the values of a resource by column."""
    return {name: getattr(resource, name) for name in names(model)}


def is_expected(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition on the version; its parameter is ``expected_version``."""
    expected = sa.bindparam("expected_version", type_=sa.Integer())
    return sa.or_(expected.is_(None), table.c.version == expected)


def expected_version(expected: Versions) -> dict[str, int | None]:
    """Return the parameter of ``is_expected``: one of the versions."""
    return {"expected_version": None if expected is None else min(expected, default=0)}


def request_columns() -> list[sa.Column[Any]]:
    """Return new columns for the request that added a row."""
    return [
        sa.Column("idempotency_key", sa.String(MAX_KEY), unique=True),
        sa.Column("content_sha256", sa.String(64)),
    ]


def request_row(request: FirstRequest | None) -> dict[str, str | None]:
    """Return the values of these columns."""
    values = (request.key, request.sha256) if request else (None, None)
    return dict(zip(REQUEST, values, strict=True))


def to_request(key: str | None, sha256: str | None) -> FirstRequest | None:
    """Return the request from the values of these columns, if there was a key."""
    return FirstRequest(key, sha256) if key and sha256 else None
