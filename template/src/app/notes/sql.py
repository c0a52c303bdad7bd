"""Notes in two tables, one of them for comments."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from app.kit.errors import KeyReused
from app.kit.idempotency import first_request
from app.kit.resources import Versions
from app.kit.sql import Resources, SqlStorage, operation, request_row, row
from app.notes import sql_rows as sql
from app.notes.models import Comment, CommentRequest, NewNote, Note, NoteFields, Record
from app.notes.repository import NoteRepository


class Repository(NoteRepository):
    """Stores notes in a SQL database."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage
        self.notes = Resources(
            storage, "note", sql.notes, get=sql.GET, delete=sql.DELETE, read=sql.to_notes
        )

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        return await self.notes.page(sql.FIRST_PAGE, sql.NEXT_PAGE, limit, before)

    @operation
    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self.notes.get(note_id, expected)

    @operation
    async def add(self, note: Note, *, key: str | None = None) -> Note:
        request = first_request(key, NewNote, note)
        values = row(NoteFields, note) | request_row(request)
        rows = [sql.comment_row(note.id, comment) for comment in note.comments]

        def insert_all(connection: Connection) -> None:
            connection.execute(sql.ADD, values)
            connection.execute(sql.ADD_COMMENTS, rows)

        async def insert() -> object:
            if rows:
                return await self.storage.transact(insert_all)
            return await self.storage.execute(sql.ADD, **values)

        return await self.notes.add(note, request, insert)

    @operation
    async def update(
        self, note_id: UUID, values: Mapping[str, Any], *, expected: Versions = None
    ) -> Note:
        return await self.notes.change(sql.UPDATE, note_id, expected, values)

    @operation
    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self.notes.change(sql.SEND, note_id, expected)

    @operation
    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        await self.notes.delete(note_id, expected)

    @operation
    async def add_comment(
        self,
        note_id: UUID,
        comment: Comment,
        *,
        expected: Versions = None,
        key: str | None = None,
    ) -> tuple[Comment, int]:
        def add(connection: Connection) -> tuple[Comment, int]:
            if key and (first := self._first_comment(connection, note_id, comment, key)):
                return first
            note = self.notes.change_in(connection, sql.UPDATE, note_id, expected)
            note.require_room()
            request = CommentRequest(key, note.version) if key else None
            connection.execute(sql.ADD_COMMENTS, sql.comment_row(note_id, comment, request))
            return comment, note.version

        return await self.storage.transact(add)

    @operation
    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        def exists(note: Note) -> None:
            note.comment(comment_id)

        def delete(connection: Connection) -> None:
            self.notes.change_in(connection, sql.UPDATE, note_id, expected, check=exists)
            ids = {"this_id": note_id, "comment_id": comment_id}
            connection.execute(sql.DELETE_COMMENT, ids)

        await self.storage.transact(delete)

    async def dump(self) -> AsyncGenerator[Sequence[Record], None]:
        async with aclosing(self.storage.scan(sql.DUMP)) as pages:
            async for rows in pages:
                yield sql.to_records(rows)

    @operation
    async def load(self, records: Sequence[Record]) -> None:
        note_rows = [row(NoteFields, each) | request_row(each.idempotency) for each in records]
        comment_rows = [
            sql.comment_row(each.id, comment, comment.idempotency)
            for each in records
            for comment in each.comments
        ]
        tables = (sql.notes.c.id, note_rows), (sql.comments.c.note_id, comment_rows)
        await self.notes.load(records, *tables)

    def _first_comment(
        self, connection: Connection, note_id: UUID, comment: Comment, key: str
    ) -> tuple[Comment, int] | None:
        """Lock the note, and return the result of the first request with this key, if any."""
        connection.execute(sql.LOCK, {"this_id": note_id})
        given = {"this_id": note_id, "key": key}
        for *found, version in connection.execute(sql.FIRST_COMMENT, given).all():
            first = Comment(*found)
            if first != replace(comment, id=first.id, created_at=first.created_at):
                raise KeyReused
            self.notes.requests.make_durable(connection, note_id)
            return first, version
        return None
