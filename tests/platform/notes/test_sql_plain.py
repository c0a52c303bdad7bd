"""The statements of notes need nothing of SQLAlchemy but to be compiled."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.kit.idempotency import FirstRequest
from app.kit.storage.postgres_changes import at_once
from app.kit.storage.sql_statements import compiled
from app.kit.storage.sql_tables import request_row, row
from app.notes import sql_rows as sql
from app.notes.models import NoteFields
from tests.notes.samples import new_note

NOTE = new_note("Buy oat milk")
ROW = row(NoteFields, NOTE)
DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
VERSION = {"this_id": NOTE.id, "expected_version": 1}
PLAIN = {
    "first page": (sql.FIRST_PAGE, {"limit": 1}),
    "next page": (sql.NEXT_PAGE, {"limit": 1, "before": NOTE.id}),
    "get": (sql.GET, {"this_id": NOTE.id}),
    "add": (sql.ADD, ROW),
    "add with a key": (sql.ADD, ROW | request_row(FirstRequest("k", "0" * 64))),
    "update": (at_once(sql.UPDATE, ("content",)), VERSION | {"new_content": "x"}),
    "send": (at_once(sql.SEND, ()), VERSION),
    "delete": (sql.DELETE, VERSION),
}


@pytest.mark.parametrize(("statement", "values"), PLAIN.values(), ids=PLAIN.keys())
def test_what_is_asked_most_goes_straight_to_the_driver(
    statement: sa.Executable, values: dict[str, Any]
) -> None:
    made = compiled(statement, tuple(values), DIALECT)

    assert made
    assert set(made.names) - made.constants.keys() == set(values)
    assert not made.to_driver
    assert not made.from_driver
