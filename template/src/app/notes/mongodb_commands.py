"""Commands about notes in one collection, each a document with its comments in it.

A document that breaks the rules, as an older or a foreign hand may have left it, is no note: no
page has it, asking for it raises ``NotFound``, no command changes it, and the log names it.
"""

import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from bson.errors import InvalidBSON
from pymongo import DESCENDING, ReturnDocument

from app.kit.errors import Conflict, NotFound, PreconditionFailed
from app.kit.ids import now
from app.kit.storage.mongodb import Document, Storage
from app.notes.models import MAX_COMMENTS, NO_SUCH_NOTE, Note
from app.notes.mongodb_documents import READ, RULES, NoNote, to_note
from app.notes.repository import Versions

log = logging.getLogger(__name__)

NEWEST_FIRST = {"_id": DESCENDING}
HAS_ROOM = {f"comments.{MAX_COMMENTS - 1}": {"$exists": False}}


class Commands:
    """What the methods of a repository are made of."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.notes = storage.database.notes

    async def _find(self, ids: Document, limit: int) -> list[Note]:
        """Return the notes of these ids, newest first.

        MongoDB is asked to look at the rules only once a document was met that breaks them.
        """
        try:
            documents = await self.storage.find(self.notes, ids, sort=NEWEST_FIRST, limit=limit)
            return [to_note(document) for document in documents]
        except (InvalidBSON, NoNote) as error:
            log.warning("A document breaks the rules of notes: %s", error)
        found, ruled = [], self.notes.find(ids | RULES, READ, sort=NEWEST_FIRST, limit=limit)
        for document in await ruled.to_list():
            with suppress(NoNote):
                found.append(to_note(document))
        return found

    async def _get(self, note_id: UUID, expected: Versions = None) -> Note:
        for note in await self._find({"_id": note_id}, 1):
            require(note, expected)
            return note
        raise NotFound(NO_SUCH_NOTE)

    async def _changed(self, note_id: UUID, expected: Versions, update: Document) -> Note:
        """Change a note and return it.

        If the command finds none, a second one finds out why; if it finds no reason, the note has
        changed in between: once more.
        """
        chosen = choose(note_id, expected)
        while not (document := await self._change(chosen, update, READ)):
            await self._get(note_id, expected)
        return to_note(document)

    async def _push(self, note_id: UUID, expected: Versions, added: Document) -> int | None:
        """Add a comment if there is room, and return the version of the note then."""
        chosen = choose(note_id, expected) | HAS_ROOM
        update = changes() | {"$push": {"comments": {"$each": [added], "$sort": {"id": 1}}}}
        changed = await self._change(chosen, update, {"version": 1})
        return changed["version"] if changed else None

    async def _change(self, chosen: Document, update: Document, read: Document) -> Document | None:
        after = ReturnDocument.AFTER
        return await self.notes.find_one_and_update(chosen, update, read, return_document=after)


def require(note: Note, expected: Versions) -> None:
    """Raise ``PreconditionFailed`` if the note has another version."""
    if expected is not None and note.version not in expected:
        raise PreconditionFailed("The note has changed.")


def require_room(note: Note) -> None:
    """Raise ``Conflict`` if the note can have no more comments."""
    if len(note.comments) >= MAX_COMMENTS:
        raise Conflict(f"The note has {MAX_COMMENTS} comments already.")


def choose(note_id: UUID, expected: Versions) -> Document:
    """Return the filter that finds the note, if it is one and has such a version."""
    version = {} if expected is None else {"version": {"$in": list(expected)}}
    return {"_id": note_id, **version, **RULES}


def changes(times_sent: int = 0, **values: Any) -> Document:
    """Return the update that counts a change, and gives fields other values."""
    return {
        "$inc": {"version": 1, "times_sent": times_sent},
        "$set": {"updated_at": now(), **values},
    }
