"""Revisions that Alembic writes from the models, where the database has more than they."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations

from app.kit.errors import Conflict
from app.kit.migrations import sql as migrations
from app.kit.migrations.sql import autogenerate, config
from app.kit.storage import open_storage
from app.kit.storage.sql_tables import Base
from app.settings import Settings

THERE = sa.MetaData()
sa.Table("strangers", THERE, sa.Column("id", sa.Integer, primary_key=True))
sa.Table("above", THERE, sa.Column("id", sa.Integer, primary_key=True))
sa.Table(
    "below",
    THERE,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("above_id", sa.ForeignKey("above.id", name="fk_below_above"), nullable=False),
    sa.Index("ix_below_above_id", "above_id"),
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the project's revisions make these tables."""
    known = autogenerate.tables() | {"above", "below", "things"}
    monkeypatch.setattr(autogenerate, "tables", lambda: known)


@pytest.mark.usefixtures("made")
async def test_children_are_dropped_first_and_tables_of_others_stay(
    empty_database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = shutil.copytree(migrations.VERSIONS, tmp_path / "versions")
    monkeypatch.setattr(migrations, "VERSIONS", versions)

    def write(connection: sa.Connection) -> None:
        command.upgrade(config(connection), "heads")
        THERE.create_all(connection)
        command.revision(config(connection), "less", autogenerate=True)

    async with open_storage(empty_database) as storage:
        sql: Any = storage
        await sql.migration(write)

    (path,) = versions.glob("*_less.py")
    _, up, down = path.read_text().split("\ndef ")
    assert [*calls(up)] == ["op.drop_table('below')", "op.drop_table('above')"]
    assert [line.partition("(")[0] for line in calls(down)] == [
        "op.create_table",
        "op.create_table",
        "with op.batch_alter_table",
    ]
    assert "strangers" not in up + down


@pytest.mark.usefixtures("made")
async def test_types_of_enums_come_and_go_with_their_columns(
    empty_database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be used by several columns; some databases have no such types."""
    monkeypatch.setattr(migrations, "VERSIONS", tmp_path)

    def write_and_run(connection: sa.Connection) -> None:
        command.revision(config(connection), "more", autogenerate=True)
        for step, target in (("upgrade", "heads"), ("downgrade", "-1"), ("upgrade", "heads")):
            getattr(command, step)(config(connection), target)

    async with open_storage(empty_database) as storage:
        sql: Any = storage
        for names in (["one"], ["one", "two"], ["one", "two", "three"], ["three"], []):
            enums: list[sa.Column[Any]] = [
                sa.Column(n, sa.Enum("a", "b", name=f"type_{n[0]}")) for n in names
            ]
            schema = sa.MetaData()
            if enums:
                sa.Table("things", schema, sa.Column("id", sa.Integer, primary_key=True), *enums)
            monkeypatch.setattr(Base, "metadata", schema)
            await sql.migration(write_and_run)


def calls(code: str) -> Iterator[str]:
    """Yield the first lines of the calls in a script."""
    starts = ("op.", "with ")
    yield from (line.strip() for line in code.splitlines() if line.strip().startswith(starts))


def test_the_tables_of_revisions_are_known(tmp_path: Path) -> None:
    text = 'op.create_table(\n    "one",)\nop.rename_table("one", "two")\nop.drop_table("three")'
    (tmp_path / "x.py").write_text(text)
    assert autogenerate.tables(tmp_path) == {"one", "two"}


async def test_rows_that_break_a_new_rule_are_named_in_one_line(
    empty_database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade(connection: sa.Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        books = operations.create_table("books", sa.Column("name", sa.String(80), nullable=False))
        connection.execute(sa.insert(books), [{"name": "s3cret"}, {"name": "s3cret"}])
        with operations.batch_alter_table("books") as batch:
            batch.create_unique_constraint("uq_books_name", ["name"])

    monkeypatch.setattr(migrations, "upgrade", upgrade)
    async with open_storage(empty_database) as storage:
        with pytest.raises(Conflict, match=r"the rule of (uq_books_name|books.name);") as raised:
            await storage.migrate()

    assert "s3cret" not in str(raised.value)
