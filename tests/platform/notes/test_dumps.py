"""Dumps and loads of notes beside other work, and in another database."""

import asyncio
from dataclasses import replace

import httpx2
import pytest

from app.kit.dump.feature import DumpedFeature, TransferError, find
from app.kit.errors import NotFound
from app.kit.features import FEATURES
from app.kit.idempotency import FirstRequest, digest
from app.kit.storage import Storage, open_storage
from app.notes.models import Comment, CommentRecord, CommentRequest
from app.notes.repository import NoteRepository
from app.settings import Settings
from tests.kit.dumps import TIME, dumped, loaded, numbered
from tests.notes.emptying import delete_all
from tests.notes.samples import FEATURE, dump_of, many, new_note, record


def posted(client: httpx2.Client, path: str, content: str) -> tuple[int, str | None, str | None]:
    answer = client.post(path, json={"content": content}, headers={"Idempotency-Key": "k"})
    return answer.status_code, answer.headers.get("Location"), answer.headers.get("ETag")


def test_a_dump_has_fixed_bytes() -> None:
    whole = replace(
        record(1, "Straße \U0001f600\n"),
        times_sent=2,
        version=3,
        comments=[CommentRecord(numbered(2), "c", TIME, CommentRequest("k", 2))],
        idempotency=FirstRequest("K", digest("x")),
    )

    first, last = dump_of([whole]).decode().splitlines()

    assert first == (
        '{"id":"019b7e4a-4a2e-7000-8000-000000000001","content":"Straße \U0001f600\\n",'
        '"times_sent":2,"version":3,"created_at":"2026-01-02T03:04:05.678Z",'
        '"updated_at":"2026-01-02T03:04:05.678Z","comments":['
        '{"id":"019b7e4a-4a2e-7000-8000-000000000002","content":"c",'
        '"created_at":"2026-01-02T03:04:05.678Z","idempotency":{"key":"k","version":2}}],'
        '"idempotency":{"key":"K","sha256":'
        '"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}'
    )
    assert last == (
        '{"notes":1,"sha256":"fc625c477b3b108866ca197826f473373b375da85512f1e6e6a7f6191f9456ad"}'
    )


@pytest.fixture
async def feature(storage: Storage) -> DumpedFeature:
    """Notes, of which there are none."""
    await delete_all(storage.repository(FEATURE))
    return find("notes", FEATURES, storage)


@pytest.fixture
def notes(storage: Storage) -> NoteRepository:
    """The repository of the same."""
    notes: NoteRepository = storage.repository(FEATURE)
    return notes


async def test_clients_notice_nothing_after_a_move(
    feature: DumpedFeature, notes: NoteRepository, empty_database: Settings, client: httpx2.Client
) -> None:
    async with open_storage(empty_database) as elsewhere:
        await elsewhere.migrate()
        old: NoteRepository = elsewhere.repository(FEATURE)
        note = await old.add(new_note("Buy oat milk"), key="k")
        comment, version = await old.add_comment(note.id, Comment.new("a remark"), key="k")
        await old.update(note.id, {"content": "Buy cream"})
        await old.send(note.id)
        dump = await dumped(find("notes", FEATURES, elsewhere))
        before = await old.latest(limit=9)

    await loaded(feature, dump)

    assert await notes.latest(limit=9) == before
    assert await dumped(feature) == dump
    path = f"/notes/{note.id}"
    assert posted(client, "/notes", "Buy oat milk") == (201, path, '"1"')
    assert posted(client, f"{path}/comments", "a remark") == (
        201,
        f"{path}/comments/{comment.id}",
        f'"{version}"',
    )
    for target in ("/notes", f"{path}/comments"):
        assert posted(client, target, "other") == (422, None, None)


async def test_a_dump_is_of_one_moment(feature: DumpedFeature, notes: NoteRepository) -> None:
    before = dump_of(many(250))
    await loaded(feature, before)

    pages = feature.repository.dump()
    met = [*await anext(pages)]
    await notes.update(numbered(240), {"content": "changed"})
    await notes.delete(numbered(241))
    await notes.add(new_note("new"))
    async for page in pages:
        met += page

    assert met == many(250)
    assert await dumped(feature) != before


async def test_the_key_of_another_note_is_refused(
    feature: DumpedFeature, notes: NoteRepository
) -> None:
    await notes.add(new_note("mine"), key="k")
    taken = replace(record(1), idempotency=FirstRequest("k", digest("x")))

    with pytest.raises(TransferError, match=r"line 2: idempotency\.key: A value"):
        await loaded(feature, dump_of([record(0), taken]))

    with pytest.raises(NotFound):
        await notes.get(taken.id)


async def test_loads_at_the_same_moment_end_as_one(feature: DumpedFeature) -> None:
    dump = dump_of(many(600))

    for _ in range(2):  # Into nothing, and over what is there.
        await asyncio.gather(*(loaded(feature, dump) for _ in range(4)))

        assert await dumped(feature) == dump


async def test_a_load_makes_no_writer_fail(feature: DumpedFeature, notes: NoteRepository) -> None:
    dump = dump_of(many(20))
    await loaded(feature, dump)

    async def load_often() -> None:
        for _ in range(20):
            await loaded(feature, dump)

    async def change_often(number: int) -> None:
        while not loading.done():
            await notes.send(numbered(number))
            await notes.update(numbered(number), {"content": "x"})

    loading = asyncio.create_task(load_often())
    await asyncio.gather(loading, *(change_often(number) for number in range(5)))
