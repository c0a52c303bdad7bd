"""The least that Python can do: Starlette, the bare driver, JSON by hand.

It validates next to nothing and does not reconnect: a measure, not a service.
"""

import json
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Found = tuple[Any, Iterable[Any]]
"""The values of a note, and of its comments, in the order in which JSON has them."""


class Limit(ABC):
    """A service for one database."""

    @abstractmethod
    async def open(self) -> None:
        """Connect."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    @abstractmethod
    async def find_page(self, limit: int, before: UUID | None) -> list[Found]:
        """Return notes, newest first."""

    @abstractmethod
    async def find(self, note_id: UUID) -> list[Found]:
        """Return the note of this id, if any."""

    @abstractmethod
    async def add(self, note_id: UUID, content: str, time: datetime) -> None:
        """Store a new note."""

    def app(self) -> Starlette:
        """Return the application."""
        page, create = Route("/notes", self.page), Route("/notes", self.create, methods=["POST"])
        return Starlette(
            lifespan=self._lifespan, routes=[page, create, Route("/notes/{id}", self.one)]
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.open()
        yield
        await self.close()

    async def page(self, request: Request) -> Response:
        """Answer with a page of notes, newest first."""
        limit = int(request.query_params.get("limit", "20"))
        cursor = request.query_params.get("cursor")
        notes = await self.find_page(limit + 1, UUID(cursor) if cursor else None)
        following = f'"{notes[limit - 1][0][0]}"' if len(notes) > limit else "null"
        text = ",".join(map(note_json, notes[:limit]))
        return answer(f'{{"data":[{text}],"next_cursor":{following}}}')

    async def one(self, request: Request) -> Response:
        """Answer with one note."""
        for note in await self.find(UUID(request.path_params["id"])):
            return answer(f'{{"data":{note_json(note)}}}', 200, {"ETag": f'"{note[0][3]}"'})
        return answer("{}", 404)

    async def create(self, request: Request) -> Response:
        """Store a new note."""
        content = json.loads(await request.body())["content"]
        now, bits = time.time_ns() // 1_000_000, secrets.randbits(74)
        number = now << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
        note_id, moment = UUID(int=number), datetime.fromtimestamp(now / 1000, UTC)
        await self.add(note_id, content, moment)
        note = note_json(((note_id, content, 0, 1, moment, moment), []))
        return answer(f'{{"data":{note}}}', 201, {"ETag": '"1"', "Location": f"/notes/{note_id}"})


def time_json(value: datetime) -> str:
    """Return a time as JSON has it."""
    return f'"{value.isoformat(timespec="milliseconds")[:23]}Z"'


def note_json(found: Found) -> str:
    """Return the JSON of a note."""
    (note_id, content, times_sent, version, created_at, updated_at, *_), comments = found
    texts = ",".join(map(comment_json, comments))
    return (
        f'{{"id":"{note_id}","content":{encode_basestring(content)},"times_sent":{times_sent},'
        f'"version":{version},"created_at":{time_json(created_at)},'
        f'"updated_at":{time_json(updated_at)},"comments":[{texts}]}}'
    )


def comment_json(values: Any) -> str:
    """Return the JSON of a comment."""
    comment_id, content, created_at = values
    return (
        f'{{"id":"{comment_id}","content":{encode_basestring(content)},'
        f'"created_at":{time_json(created_at)}}}'
    )


def answer(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(text.encode(), status, headers, "application/json")
