"""Comments in repositories of notes, the one in memory included."""

import asyncio
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest

from app.kit.errors import Conflict, KeyReused, NotFound, PreconditionFailed
from app.kit.ids import new_id
from app.notes.models import MAX_COMMENTS, Comment, Note
from app.notes.repository import NoteRepository
from tests.kit.dumps import TIME
from tests.notes.samples import new_note


async def added(notes: NoteRepository, comments: int = 0, key: str | None = None) -> Note:
    note = new_note("Buy oat milk")
    note.comments.extend(Comment.new(f"remark {i}") for i in range(comments))
    return await notes.add(note, key=key)


async def test_they_come_and_go_with_their_note(notes: NoteRepository) -> None:
    stored = [await added(notes, comments) for comments in (3, 0, 2, 1)]

    assert await notes.get(stored[0].id) == stored[0]
    assert await notes.latest(limit=3) == stored[:0:-1]
    assert await notes.latest(limit=1, before=stored[1].id) == stored[:1]
    await notes.delete(stored[0].id)
    await notes.add(bare := replace(stored[0], comments=[]))
    assert await notes.latest(limit=4) == [*stored[:0:-1], bare]


async def test_they_are_kept_oldest_first(notes: NoteRepository) -> None:
    note = await notes.add(replace(new_note("Buy oat milk"), updated_at=TIME))
    comments = [Comment.new(f"remark {i}") for i in range(5)]

    for version, comment in enumerate(comments, 2):
        assert await notes.add_comment(note.id, comment) == (comment, version)
    await notes.delete_comment(note.id, comments[2].id)

    found = await notes.get(note.id)
    assert found.comments == comments[:2] + comments[3:]
    assert (found.version, found.content) == (7, note.content)
    assert found.updated_at > TIME


async def test_every_version_comes_with_its_comments(notes: NoteRepository) -> None:
    """Also while others change the note and comment on it."""
    note = await added(notes)
    seen: list[Note] = []
    comments: dict[UUID, int] = {}

    async def comment() -> None:
        for _ in range(12):
            made, version = await notes.add_comment(note.id, Comment.new("c"))
            comments[made.id] = version

    async def change(number: int) -> None:
        for _ in range(12):
            seen.append(await notes.update(note.id, {"content": f"by {number}"}))
            seen.append(await notes.send(note.id))
            seen.append(await notes.get(note.id))

    await asyncio.gather(*(comment() for _ in range(4)), *(change(i) for i in range(4)))

    for found in seen:
        there = {made for made, version in comments.items() if version <= found.version}
        assert {each.id for each in found.comments} == there
    assert (await notes.get(note.id)).version == 1 + 4 * 12 + 4 * 24


async def test_none_is_added_past_the_limit(notes: NoteRepository) -> None:
    note = await added(notes, MAX_COMMENTS)

    with pytest.raises(Conflict):
        await notes.add_comment(note.id, Comment.new("one too many"))
    with pytest.raises(PreconditionFailed):
        await notes.add_comment(note.id, Comment.new("one too many"), expected=frozenset({9}))

    assert await notes.get(note.id) == note


async def test_one_that_is_missing_is_not_found_before_all_else(notes: NoteRepository) -> None:
    other, note = await added(notes, 1), await added(notes, 1)
    (comment,) = note.comments

    for comment_id in (new_id(), other.comments[0].id):
        for expected in (None, frozenset({999})):
            with pytest.raises(NotFound):
                await notes.delete_comment(note.id, comment_id, expected=expected)
    with pytest.raises(PreconditionFailed):
        await notes.delete_comment(note.id, comment.id, expected=frozenset({999}))

    assert await notes.get(note.id) == note
    await notes.delete_comment(note.id, comment.id, expected=frozenset({1, 999}))


async def test_a_key_adds_one(notes: NoteRepository) -> None:
    note = await added(notes, MAX_COMMENTS - 1)
    first = await notes.add_comment(note.id, Comment.new("a"), expected=frozenset({1}), key="k")
    changed = await notes.send(note.id)

    for expected in (None, frozenset({1}), frozenset({9})):  # Though the note is full by now.
        again = await notes.add_comment(note.id, Comment.new("a"), expected=expected, key="k")
        assert again == first
        with pytest.raises(KeyReused):
            await notes.add_comment(note.id, Comment.new("b"), expected=expected, key="k")

    assert first[1] == 2
    assert await notes.get(note.id) == changed
    with pytest.raises(Conflict):
        await notes.add_comment(note.id, Comment.new("a"), key="another")


async def test_keys_are_exact_and_of_one_note(notes: NoteRepository) -> None:
    keys = ["k", "K", "k" * 255, "'\"\\$.%_{}"]
    stored = [await added(notes), await added(notes)]

    remark = partial(Comment.new, "a remark")
    made = [(await notes.add_comment(n.id, remark(), key=k))[0] for n in stored for k in keys]

    assert [each.comments for each in await notes.latest(limit=2)] == [made[4:], made[:4]]


async def test_a_key_goes_with_what_it_added(notes: NoteRepository) -> None:
    note = await added(notes, key="k")
    comment, _ = await notes.add_comment(note.id, Comment.new("a remark"), key="k")

    await notes.delete_comment(note.id, comment.id)
    again, version = await notes.add_comment(note.id, Comment.new("another"), key="k")
    assert (again.content, version) == ("another", 4)
    await notes.delete(note.id)
    assert (await added(notes, key="k")).id != note.id


async def test_a_failure_does_not_use_the_key_up(notes: NoteRepository) -> None:
    note, full = await added(notes), await added(notes, MAX_COMMENTS)
    remark = Comment.new("a remark")
    with pytest.raises(PreconditionFailed):
        await notes.add_comment(note.id, remark, expected=frozenset({9}), key="k")
    with pytest.raises(Conflict):
        await notes.add_comment(full.id, remark, key="k")
    with pytest.raises(NotFound):
        await notes.add_comment(new_id(), remark, key="k")

    await notes.delete_comment(full.id, full.comments[0].id)
    for each, version in ((note, 2), (full, 3)):
        assert await notes.add_comment(each.id, remark, key="k") == (remark, version)
