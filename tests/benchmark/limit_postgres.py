"""The limit on PostgreSQL: prepared statements of asyncpg."""

import asyncio
import os
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from limit import Found, Limit

POOL_SIZE = 10

ROWS = """
    SELECT n.id, n.content, n.times_sent, n.version, n.created_at, n.updated_at,
           c.id, c.content, c.created_at
    FROM ({}) n LEFT JOIN comments c ON c.note_id = n.id ORDER BY n.id DESC, c.id
"""
STATEMENTS = {
    "first": ROWS.format("SELECT * FROM notes ORDER BY id DESC LIMIT $1"),
    "next": ROWS.format("SELECT * FROM notes WHERE id < $2 ORDER BY id DESC LIMIT $1"),
    "one": ROWS.format("SELECT * FROM notes WHERE id = $1"),
    "add": "INSERT INTO notes (id, content, times_sent, version, created_at, updated_at)"
    " VALUES ($1, $2, 0, 1, $3, $3)",
}


class Postgres(Limit):
    """Keeps its connections open, and every statement prepared on each."""

    async def open(self) -> None:
        self.connections = [
            await asyncpg.connect(os.environ["DATABASE_URL"]) for _ in range(POOL_SIZE)
        ]
        self.idle: asyncio.LifoQueue[dict[str, Any]] = asyncio.LifoQueue()
        for connection in self.connections:
            prepared = {name: await connection.prepare(sql) for name, sql in STATEMENTS.items()}
            self.idle.put_nowait(prepared)

    async def close(self) -> None:
        for connection in self.connections:
            await connection.close()

    async def find_page(self, limit: int, before: UUID | None) -> list[Found]:
        rows = self._fetch("next", limit, before) if before else self._fetch("first", limit)
        return fold(await rows)

    async def find(self, note_id: UUID) -> list[Found]:
        return fold(await self._fetch("one", note_id))

    async def add(self, note_id: UUID, content: str, time: datetime) -> None:
        await self._fetch("add", note_id, content, time)

    async def _fetch(self, name: str, *values: object) -> Any:
        statements = await self.idle.get()
        try:
            return await statements[name].fetch(*values)
        finally:
            self.idle.put_nowait(statements)


def fold(rows: list[asyncpg.Record]) -> list[Found]:
    """Fold rows of a note beside one of its comments into notes."""
    found: list[tuple[asyncpg.Record, list[Any]]] = []
    for row in rows:
        if not found or found[-1][0][0] != row[0]:
            found.append((row, []))
        if row[6]:
            found[-1][1].append(row[6:])
    return found


app = Postgres().app()
