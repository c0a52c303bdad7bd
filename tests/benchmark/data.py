"""Makes and drops the benchmark's database. Runs in the project's environment, which has a driver.

``python data.py create URL NAME`` · ``load URL NOTES DEPTH`` · ``drop URL NAME``
"""

import asyncio
import sys

import asyncpg

COMMENTED = 1000
"""How many of the notes of a first page, and of a deep one, have comments, two each."""

# UUIDv7 of note number i, one note a second, the last of them now.
ID = """
    CREATE FUNCTION pg_temp.v7(i bigint, notes bigint) RETURNS uuid LANGUAGE sql AS $$
        SELECT (lpad(to_hex((extract(epoch FROM now())::bigint - notes + i) * 1000), 12, '0')
            || '70008' || lpad(to_hex(i), 15, '0'))::uuid
    $$
"""
NOTES = """
    INSERT INTO notes (id, content, times_sent, version, created_at, updated_at)
    SELECT pg_temp.v7(i, {notes}), 'Note ' || i || ': buy oat milk and call the plumber before six',
           0, 1, now() - ({notes} - i) * interval '1 s', now() - ({notes} - i) * interval '1 s'
    FROM generate_series(1, {notes}) i
"""
COMMENTS = """
    INSERT INTO comments (note_id, id, content, created_at)
    SELECT pg_temp.v7(i, {notes}), pg_temp.v7({notes} + 2 * i + j, {notes}),
           'Comment ' || j || ': the garden is free on the 12th', now()
    FROM generate_series(1, {notes}) i, generate_series(1, 2) j
    WHERE i > {notes} - {commented} OR i BETWEEN {deep} - {commented} AND {deep}
"""


async def load(connection: asyncpg.Connection, notes: int, depth: int) -> None:
    """Fill the tables and print the id of the newest note and the cursor of the deep page."""
    async with connection.transaction():
        await connection.execute(ID)
        numbers = {"notes": notes, "deep": notes - depth, "commented": COMMENTED}
        await connection.execute(NOTES.format(**numbers))
        await connection.execute(COMMENTS.format(**numbers))
        for number in (notes, notes - depth + 1):
            print(await connection.fetchval("SELECT pg_temp.v7($1, $2)", number, notes))
    await connection.execute("VACUUM (ANALYZE) notes, comments")


async def main(command: str, url: str, *arguments: str) -> None:
    """Run one of the commands above."""
    connection = await asyncpg.connect(url)
    match command:
        case "create":
            await connection.execute(f'CREATE DATABASE "{arguments[0]}"')
        case "load":
            await load(connection, int(arguments[0]), int(arguments[1]))
        case "drop":
            await connection.execute(f'DROP DATABASE IF EXISTS "{arguments[0]}" WITH (FORCE)')
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
