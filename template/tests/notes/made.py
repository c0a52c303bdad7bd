"""Notes for tests."""

from app.notes.models import NewNote, Note


def new_note(content: str) -> Note:
    """Return a note made now, with defaults for what else there is."""
    return Note.new(NewNote(content=content))
