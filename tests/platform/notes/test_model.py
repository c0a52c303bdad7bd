"""The database's repository and the one in memory, held against each other by random calls."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from app.kit.errors import ServiceError
from app.kit.resources import Versions
from app.kit.storage import open_storage
from app.notes.models import Comment, Note
from app.notes.repository import NoteRepository
from app.settings import Settings
from tests.kit.fuzzing import EXAMPLES
from tests.notes.emptying import delete_all
from tests.notes.memory import MemoryNotes
from tests.notes.samples import FEATURE, new_note

Call = Callable[[NoteRepository], Awaitable[Any]]

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=254)
TEXTS = st.sampled_from(["a", "b"]) | ANY_TEXT.map(lambda text: f"x{text}")
KEYS = st.sampled_from([None, "k", "K", "~"])
EXPECTED = st.none() | st.frozensets(st.integers(1, 4), max_size=2)


def test_the_database_does_what_memory_does(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        opened = open_storage(settings)
        Both.runner, Both.real = runner, runner.run(opened.__aenter__()).repository(FEATURE)
        run_state_machine_as_test(Both, settings=EXAMPLES)
        runner.run(opened.__aexit__(None, None, None))


class Both(RuleBasedStateMachine):
    """Calls both, and compares what they return or raise."""

    runner: asyncio.Runner
    real: NoteRepository

    notes = Bundle("notes")
    comments = Bundle("comments")

    def same(self, call: Call) -> Any:
        """Return what both return, or the kind of error that both raise."""
        real, memory = (self.runner.run(outcome(call(r))) for r in (self.real, self.memory))
        assert real == memory
        return real

    @initialize(target=notes)
    def begin(self) -> Note:
        self.runner.run(delete_all(self.real))
        self.memory = MemoryNotes()
        return new_note("never stored")

    @rule(target=notes, text=TEXTS, key=KEYS)
    def add(self, text: str, key: str | None) -> Note:
        note = new_note(text)
        self.same(lambda notes: notes.add(note, key=key))
        return note

    @rule(target=notes, text=TEXTS, comments=st.integers(1, 3))
    def add_with_comments(self, text: str, comments: int) -> Note:
        note = new_note(text)
        note.comments.extend(Comment.new(text) for _ in range(comments))
        self.same(lambda notes: notes.add(note))
        return note

    @rule(note=notes)
    def add_again(self, note: Note) -> None:
        self.same(lambda notes: notes.add(note))

    @rule(note=notes, text=TEXTS, expected=EXPECTED)
    def update_content(self, note: Note, text: str, expected: Versions) -> None:
        self.same(lambda notes: notes.update(note.id, {"content": text}, expected=expected))

    @rule(note=notes, expected=EXPECTED)
    def send(self, note: Note, expected: Versions) -> None:
        self.same(lambda notes: notes.send(note.id, expected=expected))

    @rule(note=notes, expected=EXPECTED)
    def delete(self, note: Note, expected: Versions) -> None:
        self.same(lambda notes: notes.delete(note.id, expected=expected))

    @rule(target=comments, note=notes, text=TEXTS, expected=EXPECTED, key=KEYS)
    def add_comment(self, note: Note, text: str, expected: Versions, key: str | None) -> Comment:
        comment = Comment.new(text)
        self.same(lambda n: n.add_comment(note.id, comment, expected=expected, key=key))
        return comment

    @rule(note=notes, comment=comments, expected=EXPECTED)
    def delete_comment(self, note: Note, comment: Comment, expected: Versions) -> None:
        self.same(lambda notes: notes.delete_comment(note.id, comment.id, expected=expected))

    @rule(note=notes, expected=EXPECTED)
    def get(self, note: Note, expected: Versions) -> None:
        self.same(lambda notes: notes.get(note.id, expected=expected))

    @rule(note=notes, limit=st.integers(1, 5))
    def read_page(self, note: Note, limit: int) -> None:
        self.same(lambda notes: notes.latest(limit=limit))
        self.same(lambda notes: notes.latest(limit=limit, before=note.id))


async def outcome(call: Awaitable[Any]) -> Any:
    try:
        return without_times(await call)
    except ServiceError as error:
        return type(error)


def without_times(found: Any) -> Any:
    """Return the result of a call without its time."""
    if isinstance(found, list):
        return [without_times(note) for note in found]
    return replace(found, updated_at=found.created_at) if isinstance(found, Note) else found
