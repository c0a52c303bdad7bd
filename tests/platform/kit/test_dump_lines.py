"""What is taken for a dump, and what is not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.kit.dump import lines as dump_lines
from app.kit.dump import reading, work
from app.kit.dump.feature import Format, TransferError
from app.kit.dump.lines import Checksum, lines
from app.kit.dump.reading import first_feature, read
from tests.kit.dumps import numbered, quiet
from tests.kit.fuzzing import EXAMPLES
from tests.kit.probe.models import Record
from tests.kit.probe_dumps import PROBE_FORMAT, dump_of, many, sample

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
contents = st.text(characters, max_size=254).map(lambda text: f"{text}x")
times = st.integers(0, 250_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


def checked(dump: bytes) -> None:
    work.check([PROBE_FORMAT], BytesIO(dump), quiet)


def test_a_dump_that_was_cut_off_is_none() -> None:
    dump = dump_of([sample(0), sample(1, "Straße")])
    checked(dump)

    for end in range(len(dump)):
        with pytest.raises(TransferError, match=f"^line {dump[:end].count(10) + 1}: The dump was"):
            checked(dump[:end])


def test_a_dump_that_was_altered_is_none() -> None:
    dump = dump_of([sample(0), sample(1, "Straße")])

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


LINE = b'{"id":"019b7e4a-4a2e-7000-8000-000000000001","content":"x","version":1,'
LINE += b'"created_at":"2026-01-02T03:04:05.678Z"}'
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
    "unknown and wild": ('{"id"', '{"\\u001b[31m\\n":1,"id"', r"\\x1b\[31m\\n: "),
    "unknown and long": ('{"id"', f'{{"{"c" * 999}":1,"id"', "c{100}: "),
    "not version 7": ("-7000-", "-4000-", "id: "),
    "no UUID": ("019b7e4a-", "x", "id: "),
    "text as number": ('"version":1', '"version":"1"', "version: "),
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
    "no JSON": ("{", "", ""),
    "a list": ('{"id"', '[{"id"', ""),
}


@pytest.mark.parametrize(("old", "new", "place"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_line_is_reported_by_its_number(old: str, new: str, place: str) -> None:
    wrong = LINE.replace(old.encode(), new.encode(), 1)
    assert wrong != LINE
    checksum = Checksum("probe")
    checksum.add(*(written := [lines(PROBE_FORMAT, many(1))[0], wrong + b"\n"]))

    with pytest.raises(TransferError, match=f"^line 2: {place}") as failure:
        checked(b"".join(written) + checksum.closing_line())

    assert "\n" not in str(failure.value)


@EXAMPLES
@given(content=contents, version=st.integers(1, 2**31 - 1), time=times)
def test_whatever_may_be_stored_comes_back(content: str, version: int, time: datetime) -> None:
    record = Record(numbered(1), content, version, time)

    (line,) = lines(PROBE_FORMAT, [record])

    assert PROBE_FORMAT.records.validate_json(line) == record
    checked(dump_of([record]))


@dataclass
class Page:
    """A record without a limit."""

    id: UUID
    texts: list[str]


def test_a_long_line_that_was_written_is_read() -> None:
    of = Format("pages", TypeAdapter(Page))
    page = Page(numbered(1), [chr(0x1F600) * 10_000] * 100)

    batch, _ = read([of], BytesIO(dump_of([page], of)))

    assert batch.records == [page]
    assert batch.size > 4_000_000


def test_a_line_that_is_too_long_is_neither_written_nor_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dump = dump_of([sample(0)])
    length = dump.index(b"\n")
    for module in dump_lines, reading:
        monkeypatch.setattr(module, "MAX_LINE", length + 1)
    checked(dump_of([sample(0)]))
    for module in dump_lines, reading:
        monkeypatch.setattr(module, "MAX_LINE", length)

    with pytest.raises(TransferError, match=f"^probe {numbered(0)}: It is longer than"):
        dump_of([sample(0)])
    with pytest.raises(TransferError, match=r"^line 1: It is longer than"):
        checked(dump)


ONE, TWO = (Format(name, PROBE_FORMAT.records) for name in ("one", "two"))


def dump_of_two() -> bytes:
    checksum = Checksum("one")
    checksum.add(*(written := lines(ONE, many(2))))
    return b"".join(written) + checksum.closing_line("two") + dump_of(many(3), TWO)


def names_in(dump: bytes, *formats: Format, first: str | None = None) -> list[str]:
    return [batch.of.name for batch in read(formats, BytesIO(dump), first) for _ in batch.records]


def test_features_come_one_after_another() -> None:
    dump = dump_of_two()
    pages = Format("pages", TypeAdapter(Page))

    assert first_feature(BytesIO(dump)) == "one"
    assert names_in(dump, TWO, ONE, first="one") == ["one"] * 2 + ["two"] * 3
    assert names_in(dump_of(many(1), TWO), pages, TWO) == ["two"]
    assert names_in(Checksum("one").closing_line("two") + dump_of([], TWO), ONE, TWO) == []


def test_a_dump_of_features_that_was_cut_off_is_none() -> None:
    dump = dump_of_two()

    for end in range(len(dump)):
        with pytest.raises(TransferError, match=r"The dump was cut off"):
            names_in(dump[:end], ONE, TWO, first="one")


@pytest.mark.parametrize(
    ("dump", "first"),
    [
        (dump_of_two(), None),
        (dump_of_two(), "two"),
        (dump_of(many(1), Format("three", PROBE_FORMAT.records)), "three"),
        (dump_of_two().replace(b'"next":"two"', b'"next":"one"'), "one"),
        (dump_of_two().replace(b',"next":"two"', b""), "one"),
        (b"{}\n", None),
    ],
    ids=["ambiguous", "another", "unknown", "twice", "unnamed", "nothing"],
)
def test_ambiguous_features_are_refused(dump: bytes, first: str | None) -> None:
    with pytest.raises(TransferError, match=r"^line [0-9]+: "):
        names_in(dump, ONE, TWO, first=first)


def test_a_dump_of_another_feature_is_none() -> None:
    with pytest.raises(TransferError):
        list(read([PROBE_FORMAT], BytesIO(Checksum("bookmarks").closing_line())))
