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
    async def find_page(self, limit: int, before: Any) -> list[Found]:
        """Return notes, newest first."""

    @abstractmethod
    async def find(self, note_id: Any) -> list[Found]:
        """Return the note of this id, if any."""

    @abstractmethod
    async def add(self, note: tuple[Any, ...]) -> object:
        """Store the values of a new note."""

    @abstractmethod
    async def change(self, note_id: Any, content: str, time: Any) -> list[Found]:
        """Change a note and return it."""

    def id_value(self, note_id: UUID) -> Any:
        """Return an id as the driver takes it."""
        return note_id

    def id_text(self, value: Any) -> str:
        """Return an id from the driver's value."""
        return str(value)

    def time_value(self, time: datetime) -> Any:
        """Return a time as the driver takes it."""
        return time

    def time_text(self, value: Any) -> str:
        """Return a time with milliseconds, without zone, from the driver's value."""
        return str(value.isoformat(timespec="milliseconds")[:23])

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/notes", self.page),
            Route("/notes", self.create, methods=["POST"]),
            Route("/notes/{id}", self.one),
            Route("/notes/{id}", self.patch, methods=["PATCH"]),
        ]
        return Starlette(lifespan=self._lifespan, routes=routes)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.open()
        yield
        await self.close()

    async def page(self, request: Request) -> Response:
        """Answer with a page of notes, newest first."""
        limit = int(request.query_params.get("limit", "20"))
        cursor = request.query_params.get("cursor")
        notes = await self.find_page(limit + 1, self.id_value(UUID(cursor)) if cursor else None)
        following = f'"{self.id_text(notes[limit - 1][0][0])}"' if len(notes) > limit else "null"
        text = ",".join(map(self.note_json, notes[:limit]))
        return answer(f'{{"data":[{text}],"next_cursor":{following}}}')

    async def one(self, request: Request) -> Response:
        """Answer with one note."""
        return self.note(await self.find(self.id_value(UUID(request.path_params["id"]))))

    async def patch(self, request: Request) -> Response:
        """Change a note."""
        content, note_id = json.loads(await request.body())["content"], request.path_params["id"]
        now = self.time_value(datetime.now(UTC))
        return self.note(await self.change(self.id_value(UUID(note_id)), content, now))

    async def create(self, request: Request) -> Response:
        """Store a new note."""
        content = json.loads(await request.body())["content"]
        now, bits = time.time_ns() // 1_000_000, secrets.randbits(74)
        number = now << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
        moment = self.time_value(datetime.fromtimestamp(now / 1000, UTC))
        note = (self.id_value(UUID(int=number)), content, 0, 1, moment, moment)
        await self.add(note)
        headers = {"ETag": '"1"', "Location": f"/notes/{UUID(int=number)}"}
        return answer(f'{{"data":{self.note_json((note, []))}}}', 201, headers)

    def note(self, found: list[Found]) -> Response:
        """Return the answer of a note, if any."""
        for note in found:
            return answer(f'{{"data":{self.note_json(note)}}}', 200, {"ETag": f'"{note[0][3]}"'})
        return answer("{}", 404)

    def note_json(self, found: Found) -> str:
        """Return the JSON of a note."""
        (note_id, content, times_sent, version, created_at, updated_at, *_), comments = found
        texts = ",".join(map(self.comment_json, comments))
        return (
            f'{{"id":"{self.id_text(note_id)}","content":{encode_basestring(content)},'
            f'"times_sent":{times_sent},"version":{version},'
            f'"created_at":"{self.time_text(created_at)}Z",'
            f'"updated_at":"{self.time_text(updated_at)}Z","comments":[{texts}]}}'
        )

    def comment_json(self, values: Any) -> str:
        """Return the JSON of a comment."""
        comment_id, content, created_at = values
        return (
            f'{{"id":"{self.id_text(comment_id)}","content":{encode_basestring(content)},'
            f'"created_at":"{self.time_text(created_at)}Z"}}'
        )


def answer(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(text.encode(), status, headers, "application/json")
