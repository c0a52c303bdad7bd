"""The service as the FastAPI and SQLAlchemy documentation teach it, on the same tables.

An ORM session per request from a dependency with ``yield``, ``selectinload`` for the relationship,
``response_model``, ``from_attributes``, pages by LIMIT and OFFSET, commit and refresh on create.
"""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BINARY, DateTime, Dialect, ForeignKey, String, TypeDecorator, Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from textbook import NoteCreate, NoteUpdate, utc_now, uuid7

DRIVERS = {"postgresql": "asyncpg", "mysql": "asyncmy", "sqlite": "aiosqlite"}

database, separator, place = os.environ["DATABASE_URL"].partition("://")
engine = create_async_engine(
    f"{database}+{DRIVERS[database]}://{place}", pool_size=10, max_overflow=0, pool_pre_ping=True
)
make_session = async_sessionmaker(engine, expire_on_commit=False)


class BinaryUuid(TypeDecorator[UUID]):
    """An id as MySQL's table has it."""

    impl = BINARY(16)
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> bytes | None:
        """Return the bytes of an id."""
        return value.bytes if value else None

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> UUID | None:
        """Return an id from its bytes."""
        return UUID(bytes=value) if value else None


class Base(DeclarativeBase):
    """The base of the mapped classes."""

    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        UUID: Uuid().with_variant(BinaryUuid(), "mysql"),
    }


class Note(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    content: Mapped[str] = mapped_column(String(255))
    times_sent: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    comments: Mapped[list["Comment"]] = relationship(
        back_populates="note", order_by="Comment.id", cascade="all, delete-orphan"
    )


class Comment(Base):
    """A comment on a note."""

    __tablename__ = "comments"

    note_id: Mapped[UUID] = mapped_column(ForeignKey("notes.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    content: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    note: Mapped[Note] = relationship(back_populates="comments")


class CommentRead(BaseModel):
    """A comment as clients see it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    content: str
    created_at: datetime


class NoteRead(BaseModel):
    """A note as clients see it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    content: str
    times_sent: int
    version: int
    created_at: datetime
    updated_at: datetime
    comments: list[CommentRead]


async def get_session() -> AsyncIterator[AsyncSession]:
    """Give the request a session and close it at the end."""
    async with make_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
app = FastAPI()


@app.get("/notes", response_model=list[NoteRead])
async def read_notes(
    session: Session,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> object:
    """Return a page of notes, newest first."""
    statement = (
        select(Note)
        .options(selectinload(Note.comments))
        .order_by(Note.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


@app.get("/notes/{note_id}", response_model=NoteRead)
async def read_note(note_id: UUID, session: Session) -> object:
    """Return one note."""
    note = await session.get(Note, note_id, options=[selectinload(Note.comments)])
    if note is None:
        raise HTTPException(status_code=404, detail="Note not found")
    return note


@app.post("/notes", response_model=NoteRead, status_code=201)
async def create_note(body: NoteCreate, session: Session) -> object:
    """Store a new note; the comments are named, as nothing loads them later without ``await``."""
    note = Note(**body.model_dump())
    session.add(note)
    await session.commit()
    await session.refresh(note, ["comments"])
    return note


@app.patch("/notes/{note_id}", response_model=NoteRead)
async def update_note(note_id: UUID, body: NoteUpdate, session: Session) -> object:
    """Change a note; what it has now is known without reading it again."""
    note = await session.get(Note, note_id, options=[selectinload(Note.comments)])
    if note is None:
        raise HTTPException(status_code=404, detail="Note not found")
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(note, name, value)
    note.version += 1
    await session.commit()
    return note
