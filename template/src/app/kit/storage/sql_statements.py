"""Statements in the form in which drivers take them, made once from SQLAlchemy's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa

NO_TYPE = -1  # of a driver; SQLAlchemy refuses it where it needs one.

Convert = Callable[[Any], Any]


class Bound(NamedTuple):
    """A statement and the values of its parameters, for a driver."""

    sql: str
    values: list[Any]


class Compiled(NamedTuple):
    """A statement of a dialect, and what its types convert."""

    sql: str
    names: Sequence[str]
    constants: dict[str, Any]
    to_driver: dict[str, Convert]
    from_driver: dict[int, Convert]

    def bind(self, parameters: Mapping[str, Any]) -> Bound:
        """Return the statement with the values of parameters."""
        values = {**self.constants, **parameters}
        for name, convert in self.to_driver.items():
            values[name] = convert(values[name])
        return Bound(self.sql, [values[name] for name in self.names])

    def rows(self, found: Sequence[Any]) -> Sequence[Any]:
        """Return the driver's rows with values of Python."""
        if not found or not self.from_driver:
            return found
        columns: list[Any] = [*zip(*found, strict=True)]
        for number, convert in self.from_driver.items():
            columns[number] = map(convert, columns[number])
        return [*zip(*columns, strict=True)]


_compiled = WeakKeyDictionary[Any, dict[Any, Compiled | None]]()
"""What is kept of a statement goes with it, so that one with much data takes no memory."""


def compiled(statement: Any, names: tuple[str, ...], dialect: sa.Dialect) -> Compiled | None:
    """Return a statement for parameters of these names.

    ``None`` if SQLAlchemy has to do something at each execution: render a list of unknown length,
    call the default of a column or of a parameter, or see the driver's types. Raises SQLAlchemy's
    ``InvalidRequestError`` if a parameter has no value.
    """
    known = _compiled.setdefault(statement, {})
    key = names, dialect
    if key not in known:
        known[key] = _compile(statement, names, dialect) if _is_typed(statement) else None
    return known[key]


def _is_typed(statement: Any) -> bool:
    """Return whether the order of columns is known: that of a text in a statement is not."""
    parts = sa.sql.visitors.iterate(statement)
    is_whole = isinstance(statement, sa.TextClause)
    return is_whole or (
        isinstance(statement, sa.SelectBase | sa.UpdateBase)
        and not any(isinstance(part, sa.TextClause) for part in parts)
    )


def _compile(statement: Any, names: tuple[str, ...], dialect: sa.Dialect) -> Compiled | None:
    made = statement.compile(dialect=dialect, column_keys=names)
    calls = made.insert_prefetch or made.update_prefetch or any(b.callable for b in made.bind_names)
    if calls or made.post_compile_params or made.effective_returning:
        return None
    given = made.construct_params(dict.fromkeys(names))
    types = [column.type for column in getattr(statement, "exported_columns", ())]
    to_driver = {name: _to_driver(bind.type, dialect) for bind, name in made.bind_names.items()}
    try:
        from_driver = {number: _from_driver(type_, dialect) for number, type_ in enumerate(types)}
    except sa.exc.InvalidRequestError:
        return None  # The type needs the driver's type of the column.
    return Compiled(
        str(made),
        tuple(made.positiontup),
        {name: value for name, value in given.items() if name not in names},
        {name: convert for name, convert in to_driver.items() if convert},
        {number: convert for number, convert in from_driver.items() if convert},
    )


def _to_driver(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    if isinstance(type_, sa.Numeric) and type_.asdecimal and dialect.supports_native_decimal:
        return None  # SQLAlchemy would ask for the driver's type of the column.
    return type_.dialect_impl(dialect).result_processor(dialect, NO_TYPE)


@dataclass(frozen=True)
class Change:
    """An update of the row ``this_id``, and the select of its resource.

    ``whole`` takes a table of rows with ``columns``, and returns a select of the whole resources.
    """

    update: sa.Update
    columns: tuple[sa.Column[Any], ...]
    whole: Callable[[sa.FromClause], sa.Select[Any]] = sa.select
    returning: Any = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # SQLAlchemy keeps of an update, once executed, that it returns nothing, also in its copies.
        object.__setattr__(self, "returning", self.update.returning(*self.columns))
