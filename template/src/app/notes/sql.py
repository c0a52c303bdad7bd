"""Notes in two tables, one of them for comments."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Update
from sqlalchemy.exc import IntegrityError

from app.kit.errors import Conflict, KeyReused, NotFound, PreconditionFailed
from app.kit.idempotency import digest
from app.kit.ids import now
from app.kit.storage import operation
from app.kit.storage.sql import SqlStorage
from app.notes.models import MAX_COMMENTS, NO_SUCH_NOTE, Comment, Note
from app.notes.repository import NoteRepository, Versions
from app.notes.sql_records import Records
from app.notes.sql_rows import (
    ADD,
    ADD_COMMENTS,
    CHANGE_AND_UNDO,
    DELETE,
    DELETE_COMMENT,
    FIRST,
    FIRST_COMMENT,
    FIRST_PAGE,
    GET,
    LOCK,
    NEXT_PAGE,
    SEND,
    TOUCH,
    UPDATE_CONTENT,
    comment_row,
    note_row,
    to_notes,
)


class Repository(Records, NoteRepository):
    """Keeps notes in a SQL database."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage

    @operation
    async def latest(self, *, limit: int, before: UUID | None = None) -> list[Note]:
        if before is None:
            return to_notes(await self.storage.fetch(FIRST_PAGE, limit=limit))
        return to_notes(await self.storage.fetch(NEXT_PAGE, limit=limit, before=before))

    @operation
    async def get(self, note_id: UUID, *, expected: Versions = None) -> Note:
        note = _one(await self.storage.fetch(GET, note_id=note_id))
        _check_version(note, expected)
        return note

    @operation
    async def add(self, note: Note, *, key: str | None = None) -> Note:
        while True:
            try:
                await self._insert(note, key)
                return note
            except IntegrityError:
                if key and (first := await self._first(note.content, key)):
                    return first
                if not key or await self.storage.fetch(GET, note_id=note.id):
                    raise Conflict("The id is taken.") from None

    @operation
    async def update_content(
        self, note_id: UUID, content: str, *, expected: Versions = None
    ) -> Note:
        return await self.storage.transact(
            lambda c: _change(c, UPDATE_CONTENT, note_id, expected, new_content=content)
        )

    @operation
    async def send(self, note_id: UUID, *, expected: Versions = None) -> Note:
        return await self.storage.transact(lambda c: _change(c, SEND, note_id, expected))

    @operation
    async def delete(self, note_id: UUID, *, expected: Versions = None) -> None:
        while not await self.storage.execute(DELETE, note_id=note_id, **_versions(expected)):
            _check_version(_one(await self.storage.fetch(GET, note_id=note_id)), expected)

    @operation
    async def add_comment(
        self,
        note_id: UUID,
        comment: Comment,
        *,
        expected: Versions = None,
        key: str | None = None,
    ) -> tuple[Comment, int]:
        def add(transaction: Connection) -> tuple[Comment, int]:
            if key and (first := _first_comment(transaction, note_id, comment.content, key)):
                return first
            note = _change(transaction, TOUCH, note_id, expected)
            if len(note.comments) >= MAX_COMMENTS:
                raise Conflict(f"The note has {MAX_COMMENTS} comments already.")
            request = {"idempotency_key": key, "note_version": note.version} if key else {}
            transaction.execute(ADD_COMMENTS, comment_row(note_id, comment, **request))
            return comment, note.version

        return await self.storage.transact(add)

    @operation
    async def delete_comment(
        self, note_id: UUID, comment_id: UUID, *, expected: Versions = None
    ) -> None:
        def delete(transaction: Connection) -> None:
            note = _change(transaction, TOUCH, note_id, expected, comment_id)
            note.comment(comment_id)
            transaction.execute(DELETE_COMMENT, {"note_id": note_id, "comment_id": comment_id})

        await self.storage.transact(delete)

    async def _insert(self, note: Note, key: str | None) -> None:
        row = note_row(note, key)
        if not note.comments:
            await self.storage.execute(ADD, **row)
            return
        rows = [comment_row(note.id, comment) for comment in note.comments]

        def insert(transaction: Connection) -> None:
            transaction.execute(ADD, row)
            transaction.execute(ADD_COMMENTS, rows)

        await self.storage.transact(insert)

    async def _first(self, content: str, key: str) -> Note | None:
        """Return the note of a key as it was at first, if it is still there."""

        def find(transaction: Connection) -> Note | None:
            for note_id, sha256, time in transaction.execute(FIRST, {"key": key}).all():
                if sha256 != digest(content):
                    raise KeyReused
                if _make_durable(transaction, note_id):
                    return Note.first(note_id, content, time)
            return None

        return await self.storage.transact(find)


def _first_comment(
    transaction: Connection, note_id: UUID, content: str, key: str
) -> tuple[Comment, int] | None:
    """Lock the note, and return what adding the comment of a key has returned."""
    transaction.execute(LOCK, {"note_id": note_id})
    found = transaction.execute(FIRST_COMMENT, {"note_id": note_id, "key": key}).all()
    for comment_id, text, time, version in found:
        if text != content:
            raise KeyReused
        _make_durable(transaction, note_id)
        return Comment(comment_id, text, time), version
    return None


def _make_durable(transaction: Connection, note_id: UUID) -> bool:
    """Have the commit wait until what is known of a note is durable, if the note is still there.

    What was read may be of a commit that is not yet on the disk, or not on the standby.
    """
    ids = {"note_id": note_id}
    return all(transaction.execute(s, ids).rowcount for s in CHANGE_AND_UNDO)


def _change(
    transaction: Connection,
    statement: Update,
    note_id: UUID,
    expected: Versions,
    comment_id: UUID | None = None,
    **values: Any,
) -> Note:
    """Change a note, which locks it until the transaction ends, and return it as it is then.

    It may have met no row though the version is right, if the note changed at that moment.
    """
    parameters = {"note_id": note_id, "now": now(), **_versions(expected), **values}
    while True:
        changed = transaction.execute(statement, parameters).rowcount
        note = _one(transaction.execute(GET, {"note_id": note_id}).all())
        if changed:
            return note
        if comment_id:
            note.comment(comment_id)
        _check_version(note, expected)


def _check_version(note: Note, expected: Versions) -> None:
    if expected is not None and note.version not in expected:
        raise PreconditionFailed("The note has changed.")


def _versions(expected: Versions) -> dict[str, Any]:
    return {"any_version": expected is None, "versions": list(expected or ())}


def _one(rows: Iterable[Any]) -> Note:
    for note in to_notes(rows):
        return note
    raise NotFound(NO_SUCH_NOTE)
