"""Makes, fills and drops the benchmark's database on PostgreSQL."""

import asyncio

import asyncpg
from data import Comment, Note, batches


def create(server: str, name: str) -> None:
    """Make an empty database."""
    asyncio.run(_execute(server, f'CREATE DATABASE "{name}"'))


def load(url: str, notes: int, depth: int) -> None:
    """Fill the tables."""
    asyncio.run(_load(url, notes, depth))


def drop(server: str, name: str) -> None:
    """Remove the database."""
    asyncio.run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _load(url: str, notes: int, depth: int) -> None:
    connection = await asyncpg.connect(url)
    note_columns, comment_columns = Note._fields[:-1], ("note_id", *Comment._fields)
    for batch in batches(notes, depth):
        rows = [note[:-1] for note in batch]
        await connection.copy_records_to_table("notes", records=rows, columns=note_columns)
        rows = [(note.id, *comment) for note in batch for comment in note.comments]
        await connection.copy_records_to_table("comments", records=rows, columns=comment_columns)
    await connection.close()
    await _execute(url, "VACUUM (ANALYZE) notes, comments")
