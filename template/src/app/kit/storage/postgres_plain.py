"""Statements whose values asyncpg converts itself, so that they can bypass SQLAlchemy."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa


class Plain(NamedTuple):
    """A statement whose values the driver converts itself."""

    sql: str
    names: Sequence[str]
    constants: dict[str, Any]

    def arguments(self, parameters: dict[str, Any]) -> list[Any]:
        """Return the values in the driver's order."""
        values = self.constants | parameters
        return [values[name] for name in self.names]


@lru_cache(maxsize=1000)
def plain_statement(statement: Any, given: tuple[str, ...], dialect: sa.Dialect) -> Plain | None:
    """Return the statement for the driver, or ``None`` if SQLAlchemy has to convert a value.

    A list of unknown length is such a value. An insert has the given columns.
    """
    compiled = statement.compile(dialect=dialect, column_keys=given)
    columns = getattr(statement, "exported_columns", ())
    types = {part.type for part in (*compiled.binds.values(), *columns)}
    if compiled.post_compile_params or any(_converts(type_, dialect) for type_ in types):
        return None
    constants = {name: value for name, value in compiled.params.items() if name not in given}
    return Plain(str(compiled), tuple(compiled.positiontup or ()), constants)


def _converts(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> bool:
    if isinstance(type_, sa.Boolean):  # Its processor only checks what asyncpg checks as well.
        return False
    if isinstance(type_, sa.Numeric):  # asyncpg returns Decimal; the processor would do nothing.
        return not type_.asdecimal
    used = type_.dialect_impl(dialect)
    return bool(used.bind_processor(dialect) or used.result_processor(dialect, None))
