"""The limit on SQL databases: statements of the bare driver, which is the only difference."""

import asyncio
import os
import sqlite3
from abc import abstractmethod
from datetime import datetime
from importlib import import_module
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from limit import Found, Limit

POOL_SIZE = 10

NOTE = "id, content, times_sent, version, created_at, updated_at"
ROWS = """
    SELECT n.id, n.content, n.times_sent, n.version, n.created_at, n.updated_at,
           c.id, c.content, c.created_at
    FROM {} n LEFT JOIN comments c ON c.note_id = n.id ORDER BY n.id DESC, c.id
"""
CHANGE = "UPDATE notes SET content = ?, version = version + 1, updated_at = ? WHERE id = ?"
STATEMENTS = {
    "first": ROWS.format("(SELECT * FROM notes ORDER BY id DESC LIMIT ?)"),
    "next": ROWS.format("(SELECT * FROM notes WHERE id < ? ORDER BY id DESC LIMIT ?)"),
    "one": ROWS.format("(SELECT * FROM notes WHERE id = ?)"),
    "add": f"INSERT INTO notes ({NOTE}) VALUES (?, ?, ?, ?, ?, ?)",
    "change": CHANGE,
}


class Sql(Limit):
    """The same on each driver."""

    @abstractmethod
    async def run(self, name: str, *values: object) -> Any:
        """Run one of the statements, and return its rows."""

    async def find_page(self, limit: int, before: Any) -> list[Found]:
        rows = self.run("next", before, limit) if before else self.run("first", limit)
        return fold(await rows)

    async def find(self, note_id: Any) -> list[Found]:
        return fold(await self.run("one", note_id))

    async def add(self, note: tuple[Any, ...]) -> object:
        return await self.run("add", *note)

    async def change(self, note_id: Any, content: str, time: Any) -> list[Found]:
        await self.run("change", content, time, note_id)
        return await self.find(note_id)


class Sqlite(Sql):
    """Blocks the event loop, which costs least."""

    async def open(self) -> None:
        path = urlsplit(os.environ["DATABASE_URL"]).path[1:]
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous=FULL")

    async def close(self) -> None:
        self.connection.close()

    async def run(self, name: str, *values: object) -> Any:
        return self.connection.execute(STATEMENTS[name], values).fetchall()

    def id_value(self, note_id: UUID) -> str:
        return note_id.hex

    def id_text(self, value: str) -> str:
        return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"

    def time_value(self, time: datetime) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S.%f")

    def time_text(self, value: str) -> str:
        return f"{value[:10]}T{value[11:23]}"


class Pooled(Sql):
    """Keeps some connections open."""

    async def open(self) -> None:
        self.connections = [await self.connect() for _ in range(POOL_SIZE)]
        self.idle: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        for connection in self.connections:
            self.idle.put_nowait(await self.prepared(connection))

    @abstractmethod
    async def connect(self) -> Any:
        """Open a connection."""

    async def prepared(self, connection: Any) -> Any:
        """Return what ``run_on`` takes."""
        return connection

    @abstractmethod
    async def run_on(self, connection: Any, name: str, values: tuple[object, ...]) -> Any:
        """Run a statement on a connection."""

    async def run(self, name: str, *values: object) -> Any:
        connection = await self.idle.get()
        try:
            return await self.run_on(connection, name, values)
        finally:
            self.idle.put_nowait(connection)


class Postgres(Pooled):
    """Has every statement prepared on each connection; a change is one statement."""

    def __init__(self) -> None:
        changed = f"WITH changed AS ({CHANGE} RETURNING {NOTE}) " + ROWS.format("changed")
        self.statements = {
            name: "".join(f"${next(number)}" if char == "?" else char for char in sql)
            for name, sql in (STATEMENTS | {"change": changed}).items()
            for number in [count(1)]
        }

    async def connect(self) -> Any:
        return await import_module("asyncpg").connect(os.environ["DATABASE_URL"])

    async def prepared(self, connection: Any) -> Any:
        return {name: await connection.prepare(sql) for name, sql in self.statements.items()}

    async def close(self) -> None:
        for connection in self.connections:
            await connection.close()

    async def run_on(self, connection: Any, name: str, values: tuple[object, ...]) -> Any:
        return await connection[name].fetch(*values)

    async def change(self, note_id: Any, content: str, time: Any) -> list[Found]:
        return fold(await self.run("change", content, time, note_id))


class MySQL(Pooled):
    """Speaks the text protocol."""

    def __init__(self) -> None:
        self.statements = {name: sql.replace("?", "%s") for name, sql in STATEMENTS.items()}

    async def connect(self) -> Any:
        url = urlsplit(os.environ["DATABASE_URL"])
        return await import_module("asyncmy").connect(
            host=url.hostname,
            port=url.port,
            user=url.username,
            password=(url.password or "").encode(),
            database=url.path[1:],
            autocommit=True,
        )

    async def close(self) -> None:
        for connection in self.connections:
            connection.close()

    async def run_on(self, connection: Any, name: str, values: tuple[object, ...]) -> Any:
        async with connection.cursor() as cursor:
            await cursor.execute(self.statements[name], values)
            return await cursor.fetchall()

    def id_value(self, note_id: UUID) -> bytes:
        return note_id.bytes

    def id_text(self, value: bytes) -> str:
        return str(UUID(bytes=value))


def fold(rows: list[Any]) -> list[Found]:
    """Fold rows of a note beside one of its comments into notes."""
    found: list[tuple[Any, list[Any]]] = []
    for row in rows:
        if not found or found[-1][0][0] != row[0]:
            found.append((row, []))
        if row[6]:
            found[-1][1].append(row[6:])
    return found


DRIVERS: dict[str, type[Sql]] = {"sqlite": Sqlite, "postgresql": Postgres, "mysql": MySQL}
app = DRIVERS[urlsplit(os.environ["DATABASE_URL"]).scheme]().app()
