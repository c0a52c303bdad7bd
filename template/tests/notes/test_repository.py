"""What every repository of notes promises, the one in memory included."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.kit.errors import Conflict, KeyReused, NotFound, PreconditionFailed
from app.kit.ids import new_id
from app.kit.resources import Versions
from app.notes.models import MAX_COMMENTS, Comment, Note
from app.notes.repository import NoteRepository
from tests.notes.made import new_note

Change = Callable[[NoteRepository, UUID, Versions], Awaitable[object]]

CHANGES: dict[str, Change] = {
    "update": lambda notes, note_id, expected: notes.update(
        note_id, {"content": "new"}, expected=expected
    ),
    "send": lambda notes, note_id, expected: notes.send(note_id, expected=expected),
    "add_comment": lambda notes, note_id, expected: notes.add_comment(
        note_id, Comment.new("a remark"), expected=expected
    ),
    "delete": lambda notes, note_id, expected: notes.delete(note_id, expected=expected),
}
HARD_TEXTS = {
    "longest": "x" * 255,
    "astral": "\U0001f600" * 255,
    "combining": "e\u0301" * 127,
    "spaces around": "  \t kept \n ",
    "quotes": "'; DROP TABLE notes; -- \"\\%_{}$1:name?",
    "case and accents": "Straße STRASSE \u0131 \u0130",
    "controls": "\x01\x1f\x7f\u2028\u200b\ufeff",
}


async def added(notes: NoteRepository, content: str = "Buy oat milk", comments: int = 0) -> Note:
    note = new_note(content)
    note.comments.extend(Comment.new(f"remark {i}") for i in range(comments))
    await notes.add(note)
    return note


@pytest.mark.parametrize("text", HARD_TEXTS.values(), ids=HARD_TEXTS.keys())
async def test_a_note_comes_back_as_it_was_stored(notes: NoteRepository, text: str) -> None:
    note = await added(notes, text, comments=2)

    assert await notes.get(note.id) == note
    assert await notes.latest(limit=1) == [note]


async def test_times_are_utc_in_milliseconds_however_old(notes: NoteRepository) -> None:
    time = datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    note = replace(new_note("old"), created_at=time, updated_at=time)
    await notes.add(note)

    found = await notes.get(note.id)

    assert found.created_at == time
    assert found.created_at.utcoffset() == time.utcoffset()


async def test_an_id_is_taken_once(notes: NoteRepository) -> None:
    note = await added(notes)

    with pytest.raises(Conflict):
        await notes.add(replace(note, content="another"))

    assert await notes.get(note.id) == note


async def test_pages_meet_every_note_once_newest_first(notes: NoteRepository) -> None:
    stored = [await added(notes, f"note {i}", comments=i % 3) for i in range(7)]

    met: list[Note] = []
    while page := await notes.latest(limit=3, before=met[-1].id if met else None):
        met += page

    assert met == stored[::-1]


async def test_notes_that_come_and_go_move_no_page(notes: NoteRepository) -> None:
    stored = [await added(notes) for _ in range(6)]
    first = await notes.latest(limit=2)

    await notes.delete(first[-1].id)
    await added(notes)

    assert await notes.latest(limit=2, before=first[-1].id) == stored[3:1:-1]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_missing_note_is_not_found(notes: NoteRepository, change: Change) -> None:
    for expected in (None, frozenset({1})):
        with pytest.raises(NotFound):
            await change(notes, new_id(), expected)
    with pytest.raises(NotFound):
        await notes.get(new_id())


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("expected", [frozenset(), frozenset({2, 999999999})], ids=["none", "two"])
async def test_another_version_than_expected_changes_nothing(
    notes: NoteRepository, change: Change, expected: frozenset[int]
) -> None:
    note = await added(notes, comments=1)

    with pytest.raises(PreconditionFailed):
        await change(notes, note.id, expected)

    assert await notes.get(note.id) == note


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_the_expected_version_is_changed(notes: NoteRepository, change: Change) -> None:
    note = await added(notes)

    await change(notes, note.id, frozenset({7, 1}))

    with pytest.raises((NotFound, PreconditionFailed)):
        await notes.get(note.id, expected=frozenset({1}))


async def test_every_change_adds_one_to_the_version(notes: NoteRepository) -> None:
    note = await added(notes)
    comment = Comment.new("a remark")

    assert (await notes.update(note.id, {"content": "same"})).version == 2
    assert (await notes.update(note.id, {"content": "same"})).version == 3
    assert (await notes.send(note.id)).version == 4
    assert await notes.add_comment(note.id, comment) == (comment, 5)
    await notes.delete_comment(note.id, comment.id)

    found = await notes.get(note.id)
    assert (found.version, found.times_sent, found.content) == (6, 1, "same")
    assert found.created_at == note.created_at
    assert found.updated_at >= note.updated_at


async def test_a_change_returns_the_note_as_it_is_then(notes: NoteRepository) -> None:
    note = await added(notes, comments=2)

    for changed in (await notes.update(note.id, {"content": "new"}), await notes.send(note.id)):
        assert changed.comments == note.comments
    assert changed == await notes.get(note.id)


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


async def test_comments_are_kept_oldest_first(notes: NoteRepository) -> None:
    note = await added(notes)
    comments = [Comment.new(f"remark {i}") for i in range(5)]

    for comment in comments:
        await notes.add_comment(note.id, comment)
    await notes.delete_comment(note.id, comments[2].id)

    assert (await notes.get(note.id)).comments == comments[:2] + comments[3:]


async def test_no_comment_past_the_limit(notes: NoteRepository) -> None:
    note = await added(notes, comments=MAX_COMMENTS)

    with pytest.raises(Conflict):
        await notes.add_comment(note.id, Comment.new("one too many"))
    with pytest.raises(PreconditionFailed):
        await notes.add_comment(note.id, Comment.new("one too many"), expected=frozenset({9}))

    assert await notes.get(note.id) == note


async def test_a_missing_comment_is_not_found_before_all_else(notes: NoteRepository) -> None:
    note, other = await added(notes, comments=1), await added(notes, comments=1)

    for comment_id in (new_id(), other.comments[0].id):
        for expected in (None, frozenset({999})):
            with pytest.raises(NotFound):
                await notes.delete_comment(note.id, comment_id, expected=expected)
    with pytest.raises(PreconditionFailed):
        await notes.delete_comment(note.id, note.comments[0].id, expected=frozenset({999}))

    assert await notes.get(note.id) == note


async def test_a_note_goes_with_its_comments(notes: NoteRepository) -> None:
    note, other = await added(notes, comments=3), await added(notes, comments=1)

    await notes.delete(note.id)
    await notes.add(replace(note, comments=[]))

    assert (await notes.get(note.id)).comments == []
    assert await notes.get(other.id) == other


async def test_a_key_adds_one_note(notes: NoteRepository) -> None:
    first = await notes.add(new_note("Buy oat milk"), key="k")
    await notes.update(first.id, {"content": "Buy cream"})
    await notes.add_comment(first.id, Comment.new("a remark"))

    assert await notes.add(new_note("Buy oat milk"), key="k") == first
    with pytest.raises(KeyReused):
        await notes.add(new_note("Buy cream"), key="k")

    assert [note.id for note in await notes.latest(limit=9)] == [first.id]


async def test_a_key_adds_one_comment(notes: NoteRepository) -> None:
    note = await added(notes)
    first = await notes.add_comment(note.id, Comment.new("a"), expected=frozenset({1}), key="k")
    changed = await notes.send(note.id)

    for expected in (None, frozenset({1}), frozenset({9})):
        assert (
            await notes.add_comment(note.id, Comment.new("a"), expected=expected, key="k") == first
        )
        with pytest.raises(KeyReused):
            await notes.add_comment(note.id, Comment.new("b"), expected=expected, key="k")

    assert first[1] == 2
    assert await notes.get(note.id) == changed


async def test_a_key_is_good_past_the_limit_of_comments(notes: NoteRepository) -> None:
    note = await added(notes, comments=MAX_COMMENTS - 1)
    first = await notes.add_comment(note.id, Comment.new("a"), key="k")

    assert await notes.add_comment(note.id, Comment.new("a"), key="k") == first
    with pytest.raises(Conflict):
        await notes.add_comment(note.id, Comment.new("a"), key="another")


async def test_keys_are_exact_and_apart(notes: NoteRepository) -> None:
    keys = ["k", "K", "k~", "k" * 255, "~" * 255, "'\"\\$.%_{}"]
    made = [await notes.add(new_note("Buy oat milk"), key=key) for key in keys]
    comments = [
        await notes.add_comment(note.id, Comment.new("a remark"), key=key)
        for note in made[:2]
        for key in keys
    ]

    assert len({note.id for note in made}) == len(keys)
    assert len({comment.id for comment, _ in comments}) == 2 * len(keys)
    assert [await notes.add(new_note("Buy oat milk"), key=key) for key in keys] == made


async def test_a_key_goes_with_what_it_added(notes: NoteRepository) -> None:
    note = await notes.add(new_note("Buy oat milk"), key="k")
    comment, _ = await notes.add_comment(note.id, Comment.new("a remark"), key="k")

    await notes.delete_comment(note.id, comment.id)
    again, version = await notes.add_comment(note.id, Comment.new("another"), key="k")
    assert (again.content, version) == ("another", 4)
    await notes.delete(note.id)
    other = await notes.add(new_note("another"), key="k")

    assert await notes.latest(limit=9) == [other]


async def test_a_failure_does_not_use_the_key_up(notes: NoteRepository) -> None:
    note, full = await added(notes), await added(notes, comments=MAX_COMMENTS)
    remark = Comment.new("a remark")
    with pytest.raises(Conflict):
        await notes.add(note, key="k")
    with pytest.raises(PreconditionFailed):
        await notes.add_comment(note.id, remark, expected=frozenset({9}), key="k")
    with pytest.raises(Conflict):
        await notes.add_comment(full.id, remark, key="k")
    with pytest.raises(NotFound):
        await notes.add_comment(new_id(), remark, key="k")

    await notes.delete_comment(full.id, full.comments[0].id)
    assert (await notes.add(new_note("another"), key="k")).content == "another"
    assert await notes.add_comment(note.id, remark, key="k") == (remark, 2)
    assert await notes.add_comment(full.id, remark, key="k") == (remark, 3)
