"""Dumps: what is in them, what is taken for one, and what loading does."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import TypeAdapter

from app.cli import main
from app.errors import NotFound
from app.idempotency import digest
from app.notes.models import Comment, Note
from app.notes.records import CommentRecord, CommentRequest, NoteRequest, Record
from app.notes.repository import NoteRepository
from app.settings import Settings
from app.storage import Storage, open_storage
from app.transfer import work
from app.transfer.feature import Feature, Format, TransferError, find
from app.transfer.files import writing
from app.transfer.lines import MAX_LINE, Seal, lines, read
from tests.test_cli import APP, environment, url

NOTES = Format("notes", TypeAdapter(Record))
TIME = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
CONTENTS = [
    "x",
    "\U0001f600" * 255,
    "e\u0301" * 127,
    "\ufeff \t kept \r\n\u2028\x85 ",
    "\x01\x1f\x7f\u200b",
    "\\\"' {}/</script> %s 100%",
    "\ud7ff\ue000\uffff\U0010ffff",
]


def quiet(records: int, size: int) -> None:
    """Tell nobody."""


def numbered(number: int) -> UUID:
    """Return an id of always the same millisecond."""
    return UUID(int=0x019B7E4A4A2E7 << 76 | 0b10 << 62 | number)


def record(number: int, content: str = "Buy oat milk") -> Record:
    return Record(numbered(number), content, 0, 1, TIME, TIME, [])


def hard_records() -> list[Record]:
    """Return what databases are most likely to keep differently."""
    found = [record(number, content) for number, content in enumerate(CONTENTS)]
    found[0].created_at = datetime(1970, 1, 1, tzinfo=UTC)
    found[1].updated_at = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    found[2].times_sent = found[2].version = 2**31 - 1
    found[3].idempotency = NoteRequest("~!k'\"\\", digest("its first content"))
    found[4].comments = [
        CommentRecord(numbered(1000 + i), CONTENTS[i % len(CONTENTS)], TIME) for i in range(100)
    ]
    found[4].comments[7].idempotency = CommentRequest("k" * 255, 2**31 - 1)
    return found


def many(number: int) -> list[Record]:
    """Return notes with lines of more than a thousand bytes."""
    return [record(i, f"note {i}: {CONTENTS[1][:240]}") for i in range(number)]


def dump_of(records: list[Record]) -> bytes:
    seal = Seal(NOTES.name)
    seal.add(*(written := lines(NOTES, records)))
    return b"".join(written) + seal.last_line()


async def dumped(feature: Feature) -> bytes:
    file = BytesIO()
    await work.dump(feature, file, quiet)
    return file.getvalue()


async def loaded(feature: Feature, dump: bytes) -> int:
    return await work.load(feature, BytesIO(dump), quiet)


def app(settings: Settings, *arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
    """Run a command, and return its exit code and what it printed."""
    run = subprocess.run(
        [APP, *arguments],
        env=environment(DATABASE_URL=url(settings)),
        input=given,
        capture_output=True,
        timeout=60,
    )
    return run.returncode, run.stdout, run.stderr.decode()


def posted(client: httpx.Client, path: str, content: str) -> tuple[int, str | None, str | None]:
    answer = client.post(path, json={"content": content}, headers={"Idempotency-Key": "k"})
    return answer.status_code, answer.headers.get("Location"), answer.headers.get("ETag")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def feature(emptied: Storage) -> Feature:
    """Notes, of which there are none."""
    return find("notes", emptied)


@pytest.fixture
def notes(emptied: Storage) -> NoteRepository:
    """The repository of the same."""
    notes: NoteRepository = emptied.repository("notes")
    return notes


def test_a_dump_has_fixed_bytes() -> None:
    whole = replace(
        record(1, "Straße \U0001f600\n"),
        times_sent=2,
        version=3,
        comments=[CommentRecord(numbered(2), "c", TIME, CommentRequest("k", 2))],
        idempotency=NoteRequest("K", digest("x")),
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


async def test_what_is_loaded_is_dumped_again(feature: Feature) -> None:
    for records in ([], hard_records(), many(250)):
        dump = dump_of(records)
        assert await loaded(feature, dump) == len(records)
        assert await loaded(feature, dump) == len(records)

    expected = {r.id: r for r in hard_records()} | {r.id: r for r in many(250)}
    assert await dumped(feature) == dump_of(list(expected.values()))


async def test_a_dump_of_nothing_is_one_line(feature: Feature) -> None:
    assert await dumped(feature) == b'{"notes":0,"sha256":"%b"}\n' % digest("").encode()


async def test_clients_notice_nothing_after_a_move(
    feature: Feature, notes: NoteRepository, empty_database: Settings, client: httpx.Client
) -> None:
    async with open_storage(empty_database) as elsewhere:
        await elsewhere.migrate()
        old: NoteRepository = elsewhere.repository("notes")
        note = await old.add(Note.new("Buy oat milk"), key="k")
        comment, version = await old.add_comment(note.id, Comment.new("a remark"), key="k")
        await old.rewrite(note.id, "Buy cream")
        await old.send(note.id)
        dump = await dumped(find("notes", elsewhere))
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


async def test_loading_puts_back_and_leaves_others(feature: Feature, notes: NoteRepository) -> None:
    dump = dump_of(hard_records())
    await loaded(feature, dump)
    await notes.rewrite(numbered(0), "changed")
    await notes.delete(numbered(1))
    await notes.add_comment(numbered(3), Comment.new("new"), key="k")
    await notes.delete_comment(numbered(4), numbered(1007))
    other = await notes.add(Note.new("another"))

    await loaded(feature, dump)

    assert await notes.get(other.id) == other
    await notes.delete(other.id)
    assert await dumped(feature) == dump


async def test_a_dump_is_of_one_moment(feature: Feature, notes: NoteRepository) -> None:
    before = dump_of(many(250))
    await loaded(feature, before)

    pages = feature.repository.dump()
    met = [*await anext(pages)]
    await notes.rewrite(numbered(240), "changed")
    await notes.delete(numbered(241))
    await notes.add(Note.new("new"))
    async for page in pages:
        met += page

    assert met == many(250)
    assert await dumped(feature) != before


async def test_the_key_of_another_note_is_refused(feature: Feature, notes: NoteRepository) -> None:
    await notes.add(Note.new("mine"), key="k")
    taken = replace(record(1), idempotency=NoteRequest("k", digest("x")))

    with pytest.raises(TransferError, match="lines 1 to 2: An idempotency key"):
        await loaded(feature, dump_of([record(0), taken]))

    with pytest.raises(NotFound):
        await notes.get(taken.id)


# Damage ---------------------------------------------------------------------------------------


def checked(dump: bytes) -> None:
    work.check(NOTES, BytesIO(dump), quiet)


def test_a_dump_that_was_cut_off_is_none() -> None:
    dump = dump_of([record(0), record(1, "Straße")])
    checked(dump)

    for end in range(len(dump)):
        with pytest.raises(TransferError, match=f"^line {dump[:end].count(10) + 1}: The dump was"):
            checked(dump[:end])


def test_a_dump_that_was_altered_is_none() -> None:
    dump = dump_of([record(0), record(1, "Straße")])

    for place, byte in enumerate(dump):
        with pytest.raises(TransferError, match=r"^line "):
            checked(dump[:place] + bytes([byte ^ 1]) + dump[place + 1 :])


def test_a_dump_with_lines_missing_doubled_or_added_is_none() -> None:
    *records, last = dump_of(many(4)).splitlines(keepends=True)
    one, two, three, four = records

    for wrong in (
        [one, two, three, last],
        [one, two, three, three, four, last],
        [one, three, two, four, last],
        [*records, last, last],
        [*records, last, b" "],
        [*records, last, one],
        [last],
        [b"\n", *records, last],
    ):
        with pytest.raises(TransferError, match=r"^line "):
            checked(b"".join(wrong))


LINE = b'{"id":"019b7e4a-4a2e-7000-8000-000000000001","content":"x","times_sent":0,"version":1,'
LINE += b'"created_at":"2026-01-02T03:04:05.678Z","updated_at":"2026-01-02T03:04:05.678Z",'
LINE += b'"comments":[]}'
COMMENT = '{"id":"019b7e4a-4a2e-7000-8000-%012d","content":"c",'
COMMENT += '"created_at":"2026-01-02T03:04:05.678Z"%s}'
KEYED = ',"idempotency":{"key":"%s","version":2}'


def comments(*numbers: int, more: str = "") -> str:
    return f'"comments":[{",".join(COMMENT % (number, more) for number in numbers)}]'


WRONG: dict[str, tuple[str, str, str]] = {
    "blank": ('"x"', '" "', "content: "),
    "empty": ('"x"', '""', "content: "),
    "256 characters": ('"x"', f'"{"x" * 256}"', "content: "),
    "NUL": ('"x"', '"\\u0000x"', "content: "),
    "surrogate": ('"x"', '"\\ud800"', ""),
    "number as text": ('"x"', "1", "content: "),
    "null": ('"x"', "null", "content: "),
    "missing": ('"content":"x",', "", "content: "),
    "unknown": ('{"id"', '{"colour":"red","id"', "colour: "),
    "not version 7": ("-7000-", "-4000-", "id: "),
    "no UUID": ("019b7e4a-", "x", "id: "),
    "negative": ('"times_sent":0', '"times_sent":-1', "times_sent: "),
    "text as number": ('"times_sent":0', '"times_sent":"0"', "times_sent: "),
    "boolean as number": ('"version":1', '"version":true', "version: "),
    "fraction": ('"version":1', '"version":1.0', "version: "),
    "version 0": ('"version":1', '"version":0', "version: "),
    "33 bits": ('"version":1', '"version":2147483648', "version: "),
    "before 1970": ('ed_at":"2026', 'ed_at":"1969', "created_at: "),
    "microseconds": ("678Z", "678901Z", "created_at: "),
    "no milliseconds": (".678Z", "Z", "created_at: "),
    "another zone": ("678Z", "678+00:00", "created_at: "),
    "no such day": ("2026-01-02", "2026-02-30", "created_at: "),
    "time as number": ('"2026-01-02T03:04:05.678Z"', "1767323045678", "created_at: "),
    "101 comments": ('"comments":[]', comments(*range(101)), "comments: "),
    "comments twice": ('"comments":[]', comments(1, 1), "comments: "),
    "comments in disorder": ('"comments":[]', comments(2, 1), "comments: "),
    "comment wrong": ('"comments":[]', comments(1, more=',"likes":1'), "comments.0.likes: "),
    "two comments of a key": ('"comments":[]', comments(1, 2, more=KEYED % "k"), "comments: "),
    "malformed key": ('"comments":[]', comments(1, more=KEYED % " "), "comments.0.idempotency.key"),
    "malformed digest": (
        '"comments":[]',
        '"comments":[],"idempotency":{"key":"k","sha256":"x"}',
        "idempotency.sha256: ",
    ),
    "no JSON": ("{", "", ""),
    "a list": ('{"id"', '[{"id"', ""),
    "too long": ('"x"', f'"x"{" " * MAX_LINE}', ""),
}


@pytest.mark.parametrize(("old", "new", "place"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_line_is_told_by_its_number(old: str, new: str, place: str) -> None:
    wrong = LINE.replace(old.encode(), new.encode(), 1)
    assert wrong != LINE
    seal = Seal("notes")
    seal.add(*(written := [lines(NOTES, [record(0)])[0], wrong + b"\n"]))

    with pytest.raises(TransferError, match=f"^line 2: {place}") as told:
        checked(b"".join(written) + seal.last_line())

    assert "\n" not in str(told.value)


def test_a_dump_of_another_feature_is_none() -> None:
    with pytest.raises(TransferError):
        list(read(NOTES, BytesIO(Seal("bookmarks").last_line())))


# Commands -------------------------------------------------------------------------------------


async def test_the_commands_take_files_and_pipes(
    feature: Feature, settings: Settings, tmp_path: Path
) -> None:
    dump, file = dump_of(hard_records()), tmp_path / "notes.ndjson"

    assert app(settings, "load", given=dump) == (0, b"", "notes: 7 loaded\n")
    assert app(settings, "dump") == (0, dump, "notes: 7 dumped\n")
    assert app(settings, "dump", str(file)) == (0, b"", "notes: 7 dumped\n")
    assert file.read_bytes() == dump
    assert app(settings, "load", str(file)) == (0, b"", "notes: 7 loaded\n")
    assert names(tmp_path) == [file.name]


async def test_of_a_damaged_file_nothing_is_loaded(
    feature: Feature, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "notes.ndjson"
    file.write_bytes(dump_of(many(500))[:-1])

    code, _, told = app(settings, "load", str(file))

    assert (code, told.count("\n")) == (1, 1)
    assert "line 501: " in told
    assert (await dumped(feature)).startswith(b'{"notes":0,')


async def test_a_dump_that_fails_leaves_the_old_one(
    feature: Feature, settings: Settings, notes: NoteRepository, tmp_path: Path
) -> None:
    file = tmp_path / "notes.ndjson"
    file.write_text("old")
    long_ago = datetime(1969, 12, 31, tzinfo=UTC)
    note = await notes.add(replace(Note.new("x"), created_at=long_ago))

    code, _, told = app(settings, "dump", str(file))

    assert (code, told.count("\n")) == (1, 1)
    assert f"notes {note.id}: created_at: " in told
    assert file.read_text() == "old"
    assert names(tmp_path) == [file.name]


def test_an_interrupted_dump_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "notes.ndjson"
    file.write_text("old")

    def dump_and_interrupt() -> None:
        with writing(file) as new:
            new.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dump_and_interrupt()

    assert file.read_text() == "old"
    assert names(tmp_path) == [file.name]


@pytest.mark.parametrize("command", [work.dump, work.load])
async def test_a_command_can_be_interrupted(
    feature: Feature, command: Callable[[Feature, BytesIO, work.Tell], Coroutine[Any, Any, int]]
) -> None:
    dump = dump_of(many(500))
    await loaded(feature, dump)
    told = []

    def interrupt(records: int, size: int) -> None:
        told.append(records)
        running.cancel()

    running = asyncio.create_task(command(feature, BytesIO(dump), interrupt))
    with pytest.raises(asyncio.CancelledError):
        await running

    assert len(told) == 1
    assert await dumped(feature) == dump


def load_and_kill(settings: Settings, given: bytes) -> None:
    variables = environment(DATABASE_URL=url(settings))
    with subprocess.Popen([APP, "load"], env=variables, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(given)  # Returns once all was read but what a pipe holds.
        process.kill()


async def test_a_load_that_was_killed_can_be_run_again(
    feature: Feature, settings: Settings
) -> None:
    dump = dump_of(many(1000))
    load_and_kill(settings, dump[:900_000])

    part = await dumped(feature)
    assert 100_000 < len(part) < 900_000

    assert app(settings, "load", given=dump)[0] == 0

    assert await dumped(feature) == dump


@pytest.fixture
def error(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command that fails, and return what it says."""

    def run(settings: Settings, *arguments: str) -> str:
        monkeypatch.setenv("DATABASE_URL", url(settings))
        monkeypatch.setattr(sys, "argv", ["app", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return str(end.value.code)

    return run


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dump", "{folder}"], "{folder}: "),
        (["dump", "{folder}/missing/notes.ndjson"], "{folder}/missing/notes.ndjson: "),
        (["load", "{folder}"], "{folder}: "),
        (["load", "{folder}/missing"], "{folder}/missing: "),
        (["load", "{folder}/missing", "--feature=birds"], "'birds'"),
    ],
    ids=["folder", "no folder", "from a folder", "no file", "no feature"],
)
def test_what_cannot_be_is_one_line(
    settings: Settings,
    tmp_path: Path,
    error: Callable[..., str],
    arguments: list[str],
    named: str,
) -> None:
    told = error(settings, *(argument.format(folder=tmp_path) for argument in arguments))

    assert named.format(folder=tmp_path) in told
    assert "\n" not in told
    assert names(tmp_path) == []


@pytest.mark.parametrize("command", ["dump", "load"])
def test_an_old_schema_is_told(
    empty_database: Settings, error: Callable[..., str], command: str
) -> None:
    assert "app migrate" in error(empty_database, command)


async def test_a_feature_without_records_takes_no_part(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.transfer.feature.FEATURES", ("notes", "http"))

    with pytest.raises(TransferError, match=r"app/http/records\.py"):
        find("http", storage)
