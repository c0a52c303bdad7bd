"""Which values of a document are unique and another one's, and which refer to nothing."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pymongo.asynchronous.client_session import AsyncClientSession

from app.kit.errors import InvalidReference, Taken
from app.kit.storage.mongodb import Collection, Document, Storage

T = TypeVar("T")
Session = AsyncClientSession | None


async def taken(collection: Collection, document: Document) -> Taken:
    """Return the error for a document that has unique values of others.

    MongoDB names one of them, so all are looked for.
    """
    indexes = (await collection.index_information()).values()
    unique = {each["key"][0][0] for each in indexes if each.get("unique") and len(each["key"]) == 1}
    found = []
    for name, value in _values(document):
        others = {name: value, "_id": {"$ne": document["_id"]}}
        if name in unique and value is not None and await collection.find_one(others, {"_id": 1}):
            found.append(name)
    return Taken(*found, of=document["_id"])


def _values(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a document, and of those in it, by their paths."""
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _values(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


async def refer(
    storage: Storage,
    references: Mapping[str, str],
    documents: Sequence[Document],
    write: Callable[[Session], Awaitable[T]],
) -> T:
    """Write documents; what they refer to is there, and stays until they are written.

    In one transaction, what they refer to is changed, so that no other deletes it meanwhile. Raises
    ``InvalidReference`` for the first document that refers to nothing.
    """
    wanted = {n: {d[n] for d in documents if d.get(n)} for n in references}
    if not any(wanted.values()):
        return await write(None)

    async def work(session: AsyncClientSession) -> T:
        there = {
            name: await _touch(storage.database[references[name]], ids, session)
            for name, ids in wanted.items()
        }
        _require_targets(documents, there)
        return await write(session)

    return await storage.in_transaction(work)


def _require_targets(documents: Sequence[Document], there: Mapping[str, set[UUID]]) -> None:
    for document in documents:
        lost = [n for n, ids in there.items() if document.get(n) and document[n] not in ids]
        if lost:
            raise InvalidReference(*lost, of=document["_id"])


async def _touch(target: Collection, ids: set[UUID], session: AsyncClientSession) -> set[UUID]:
    """Change documents in the transaction; return the ids of those that are there."""
    chosen = {"_id": {"$in": [*ids]}}
    touch = {"$currentDate": {"referred_to_at": True}}
    changed = await target.update_many(chosen, touch, session=session) if ids else None
    if not changed or changed.matched_count == len(ids):
        return ids
    return {each["_id"] async for each in target.find(chosen, {"_id": 1}, session=session)}
