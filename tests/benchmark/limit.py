"""The least that Python can do: Starlette, prepared statements of the driver, JSON by hand.

It validates next to nothing and does not reconnect: a measure, not a service.
"""

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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

idle: asyncio.LifoQueue[dict[str, asyncpg.prepared_stmt.PreparedStatement]] = asyncio.LifoQueue()


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the connections and prepare every statement on each."""
    connections = [await asyncpg.connect(os.environ["DATABASE_URL"]) for _ in range(POOL_SIZE)]
    for connection in connections:
        idle.put_nowait({name: await connection.prepare(sql) for name, sql in STATEMENTS.items()})
    yield
    for connection in connections:
        await connection.close()


async def fetch(name: str, *values: object) -> Any:
    """Run a prepared statement on a connection that is idle."""
    statements = await idle.get()
    try:
        return await statements[name].fetch(*values)
    finally:
        idle.put_nowait(statements)


def moment(value: datetime) -> str:
    """Return a time as JSON has it, without the quotes."""
    return value.isoformat(timespec="milliseconds")[:23] + "Z"


def note_json(row: Any, comments: list[str]) -> str:
    """Return the JSON of a note."""
    note_id, content, times_sent, version, created_at, updated_at, *_ = row
    return (
        f'{{"id":"{note_id}","content":{encode_basestring(content)},"times_sent":{times_sent},'
        f'"version":{version},"created_at":"{moment(created_at)}",'
        f'"updated_at":"{moment(updated_at)}","comments":[{",".join(comments)}]}}'
    )


def notes_json(rows: list[asyncpg.Record]) -> list[str]:
    """Fold rows of a note beside one of its comments into the JSON of notes."""
    found: list[tuple[asyncpg.Record, list[str]]] = []
    for row in rows:
        if not found or found[-1][0][0] != row[0]:
            found.append((row, []))
        if row[6]:
            found[-1][1].append(
                f'{{"id":"{row[6]}","content":{encode_basestring(row[7])},'
                f'"created_at":"{moment(row[8])}"}}'
            )
    return [note_json(row, comments) for row, comments in found]


def answer(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(text.encode(), status, headers, "application/json")


async def page(request: Request) -> Response:
    """Return a page of notes, newest first."""
    limit = int(request.query_params.get("limit", "20"))
    if cursor := request.query_params.get("cursor"):
        rows = await fetch("next", limit + 1, UUID(cursor))
    else:
        rows = await fetch("first", limit + 1)
    notes = notes_json(rows)
    following = "null"
    if len(notes) > limit:
        following = notes[limit - 1][6:44]
    return answer(f'{{"data":[{",".join(notes[:limit])}],"next_cursor":{following}}}')


async def one(request: Request) -> Response:
    """Return one note."""
    rows = await fetch("one", UUID(request.path_params["id"]))
    if not rows:
        return answer("{}", 404)
    return answer(f'{{"data":{notes_json(rows)[0]}}}', 200, {"ETag": f'"{rows[0][3]}"'})


async def create(request: Request) -> Response:
    """Store a new note; asyncpg commits it by itself."""
    content = json.loads(await request.body())["content"]
    now, bits = time.time_ns() // 1_000_000, secrets.randbits(74)
    number = now << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    note_id, time_now = UUID(int=number), datetime.fromtimestamp(now / 1000, UTC)
    await fetch("add", note_id, content, time_now)
    note = note_json((note_id, content, 0, 1, time_now, time_now), [])
    return answer(f'{{"data":{note}}}', 201, {"ETag": '"1"', "Location": f"/notes/{note_id}"})


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/notes", page),
        Route("/notes", create, methods=["POST"]),
        Route("/notes/{id}", one),
    ],
)
