"""Fills and drops the benchmark's database on MongoDB, which makes it by itself."""

from typing import Any

from data import Note, batches
from pymongo import MongoClient


def create(server: str, name: str) -> None:
    """Do nothing: the first write makes the database."""


def load(url: str, notes: int, depth: int) -> None:
    """Fill the collection."""
    with MongoClient[dict[str, Any]](url, uuidRepresentation="standard") as client:
        collection = client.get_default_database()["notes"]
        for batch in batches(notes, depth):
            collection.insert_many(map(_document, batch), ordered=False)


def drop(server: str, name: str) -> None:
    """Remove the database."""
    with MongoClient[dict[str, Any]](server) as client:
        client.drop_database(name)


def _document(note: Note) -> dict[str, Any]:
    values = note._asdict()
    comments = [comment._asdict() for comment in note.comments]
    return {"_id": values.pop("id"), **values, "comments": comments}
