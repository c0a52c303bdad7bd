"""Dumps and loads notes as the SQLAlchemy and Pydantic documentation teach it.

``python textbook_transfer.py dump|load FILE``; ``DATABASE_URL`` names the PostgreSQL database.
Mapped objects, read in pages by OFFSET with their comments by ``selectinload``, become Pydantic
models and JSON; to load, each becomes a mapped object again, which is merged into a session.
"""

import asyncio
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import selectinload
from textbook_sql import Comment, Note, NoteRead, engine, make_session

PAGE = 1000


async def dump(path: Path) -> None:
    """Write all notes, a line each."""
    offset = 0
    chosen = select(Note).options(selectinload(Note.comments)).order_by(Note.id).limit(PAGE)
    with path.open("w", encoding="utf-8") as file:
        while True:
            async with make_session() as session:
                notes = (await session.scalars(chosen.offset(offset))).all()
            file.writelines(f"{NoteRead.model_validate(n).model_dump_json()}\n" for n in notes)
            offset += len(notes)
            if len(notes) < PAGE:
                return


async def load(path: Path) -> None:
    """Store the notes of a file, each in the place of the one of its id."""
    with path.open(encoding="utf-8") as file:
        notes = _notes(file)
        while batch := list(islice(notes, PAGE)):
            async with make_session.begin() as session:
                for note in batch:
                    await session.merge(note)


def _notes(lines: Iterator[str]) -> Iterator[Note]:
    for line in lines:
        fields = NoteRead.model_validate_json(line).model_dump()
        comments = [Comment(**comment) for comment in fields.pop("comments")]
        yield Note(**fields, comments=comments)


async def main(command: str, file: str) -> None:
    """Run one of the commands above."""
    await {"dump": dump, "load": load}[command](Path(file))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
