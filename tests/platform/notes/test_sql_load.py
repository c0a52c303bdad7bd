"""What loading a dump leaves alone: the rows of other tables, and what has not changed."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.kit.dump.feature import TransferError, find
from app.kit.features import FEATURES
from app.kit.storage import open_storage
from app.kit.storage.sql import SqlStorage
from app.kit.storage.sql_tables import Base
from app.notes.models import Comment
from app.notes.sql_rows import comments, notes
from app.settings import Settings
from tests.kit.dumps import dumped, loaded, numbered
from tests.notes.samples import FEATURE, dump_of, hard_records

TABLES = sa.MetaData(naming_convention=Base.metadata.naming_convention)


def referring(name: str, ondelete: str) -> sa.Table:
    """Return a table whose rows refer to a comment and to its note."""
    note, comment = sa.Column("note_id", sa.Uuid), sa.Column("comment_id", sa.Uuid)
    return sa.Table(
        name,
        TABLES,
        note,
        comment,
        sa.ForeignKeyConstraint([note], [notes.c.id], ondelete=ondelete),
        sa.ForeignKeyConstraint(
            [note, comment], [comments.c.note_id, comments.c.id], ondelete=ondelete
        ),
    )


REFERRING = [referring("likes", "CASCADE"), referring("citations", "RESTRICT")]
NOTE, COMMENT = numbered(4), numbered(1007)


@pytest.fixture
async def database(empty_database: Settings) -> AsyncIterator[SqlStorage]:
    """A database with notes, and two tables that refer to one of them and its comment."""
    async with open_storage(empty_database) as storage:
        assert isinstance(storage, SqlStorage)
        await storage.migrate()
        await loaded(find("notes", FEATURES, storage), dump_of(hard_records()))
        await storage.migration(TABLES.create_all)
        for table in REFERRING:
            await storage.execute(sa.insert(table), note_id=NOTE, comment_id=COMMENT)
        yield storage


async def references(storage: SqlStorage) -> list[list[tuple[UUID, UUID]]]:
    return [[tuple(row) for row in await storage.fetch(sa.select(table))] for table in REFERRING]


async def test_a_load_keeps_what_refers_to_its_rows(database: SqlStorage) -> None:
    dump, feature = dump_of(hard_records()), find("notes", FEATURES, database)
    repository = database.repository(FEATURE)

    await loaded(feature, dump)
    await repository.update(NOTE, {"content": "changed"})
    await repository.delete_comment(NOTE, numbered(1000))
    await repository.add_comment(NOTE, Comment.new("new"), key="k")
    await loaded(feature, dump)

    assert await references(database) == [[(NOTE, COMMENT)]] * 2
    assert await dumped(feature) == dump


async def test_an_unchanged_dump_writes_no_row(database: SqlStorage) -> None:
    statements: list[str] = []

    def note(_: object, cursor: object, statement: str, *more: object) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        await loaded(find("notes", FEATURES, database), dump_of(hard_records()))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)

    assert [text for text in statements if not text.startswith(("SELECT", "BEGIN"))] == []
    assert statements


async def test_what_a_constraint_forbids_is_refused_in_one_line(database: SqlStorage) -> None:
    feature, given = find("notes", FEATURES, database), hard_records()[4]
    before = await dumped(feature)
    del given.comments[7]

    with pytest.raises(TransferError, match=r"lines 1 to 1: .*refer"):
        await loaded(feature, dump_of([given]))

    assert await dumped(feature) == before
