"""The service as the FastAPI and PyMongo documentation teach it, on the same collection.

The database from a dependency, each document validated into a Pydantic model with an alias for
``_id``, ``response_model``, pages by skip and limit, insert and find on create.
"""

import os
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, Field
from pymongo import DESCENDING, AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from textbook import NoteCreate, NoteUpdate, utc_now, uuid7

client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
    os.environ["DATABASE_URL"], tz_aware=True, uuidRepresentation="standard"
)


class CommentRead(BaseModel):
    """A comment as clients see it."""

    id: UUID
    content: str
    created_at: datetime


class NoteRead(BaseModel):
    """A note as clients see it."""

    id: UUID = Field(alias="_id")
    content: str
    times_sent: int
    version: int
    created_at: datetime
    updated_at: datetime
    comments: list[CommentRead]


async def get_database() -> AsyncDatabase[dict[str, Any]]:
    """Give the request the database that the URL names."""
    return client.get_default_database()


Database = Annotated[AsyncDatabase[dict[str, Any]], Depends(get_database)]
app = FastAPI()


@app.get("/notes", response_model=list[NoteRead], response_model_by_alias=False)
async def read_notes(
    database: Database,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> object:
    """Return a page of notes, newest first."""
    cursor = database["notes"].find().sort("_id", DESCENDING).skip(offset).limit(limit)
    return [NoteRead(**document) for document in await cursor.to_list()]


@app.get("/notes/{note_id}", response_model=NoteRead, response_model_by_alias=False)
async def read_note(note_id: UUID, database: Database) -> object:
    """Return one note."""
    document = await database["notes"].find_one({"_id": note_id})
    if document is None:
        raise HTTPException(status_code=404, detail="Note not found")
    return NoteRead(**document)


@app.post("/notes", response_model=NoteRead, response_model_by_alias=False, status_code=201)
async def create_note(body: NoteCreate, database: Database) -> object:
    """Store a new note, and read it again."""
    now = utc_now()
    times = {"created_at": now, "updated_at": now}
    note = {"_id": uuid7(), **body.model_dump(), "times_sent": 0, "version": 1, **times}
    result = await database["notes"].insert_one({**note, "comments": []})
    return NoteRead(**await database["notes"].find_one({"_id": result.inserted_id}))


@app.patch("/notes/{note_id}", response_model=NoteRead, response_model_by_alias=False)
async def update_note(note_id: UUID, body: NoteUpdate, database: Database) -> object:
    """Change a note."""
    values = {**body.model_dump(exclude_unset=True), "updated_at": utc_now()}
    document = await database["notes"].find_one_and_update(
        {"_id": note_id},
        {"$set": values, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if document is None:
        raise HTTPException(status_code=404, detail="Note not found")
    return NoteRead(**document)
