"""What has changed since an earlier dump."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.dump import work
from app.kit.dump.changes import Earlier
from app.kit.dump.feature import DumpedFeature, TransferError
from app.kit.errors import Conflict, NotFound
from tests.kit.dumps import numbered, quiet
from tests.kit.fuzzing import EXAMPLES
from tests.kit.probe.models import Record
from tests.kit.probe_dumps import PROBE_FORMAT, dump_of, many, sample

States = st.dictionaries(st.integers(0, 9), st.sampled_from(["a", "b"]))


@dataclass
class Memory:
    """Records in memory; those of ``referred`` cannot be deleted while ``by`` has any."""

    records: dict[UUID, Record] = field(default_factory=dict)
    by: "Memory | None" = None

    async def dump(self) -> AsyncGenerator[Sequence[Record], None]:
        for this_id in sorted(self.records):
            yield [self.records[this_id]]

    async def load(self, records: Sequence[Record]) -> None:
        self.records |= {record.id: record for record in records}

    async def delete(self, this_id: UUID) -> None:
        if this_id not in self.records:
            raise NotFound("There is no such record.")
        if self.by and any(each.content == str(this_id) for each in self.by.records.values()):
            raise Conflict("Others refer to it.")
        del self.records[this_id]


def feature(name: str, memory: Memory) -> DumpedFeature:
    return DumpedFeature(name, PROBE_FORMAT.records, memory)


async def changes(features: Sequence[DumpedFeature], earlier: bytes | None = None) -> bytes:
    file = BytesIO()
    old = Earlier(BytesIO(earlier)) if earlier else None
    await work.dump(features, file, quiet, old)
    return file.getvalue()


async def load(features: Sequence[DumpedFeature], dump: bytes) -> None:
    first = features[0].name
    gone = work.check(features, BytesIO(dump), quiet, first)
    await work.load_and_delete(features, BytesIO(dump), quiet, first, gone)


@EXAMPLES
@given(States, States)
async def test_they_turn_any_state_into_any_other(old: dict[int, str], new: dict[int, str]) -> None:
    before, after = ([sample(i, state[i]) for i in sorted(state)] for state in (old, new))
    memory = Memory({each.id: each for each in after})
    found = await changes([feature("probe", memory)], dump_of(before))
    target = Memory({each.id: each for each in before})

    await load([feature("probe", target)], found)

    assert target.records == memory.records
    differing = {key for key in old | new if old.get(key) != new.get(key)}
    assert found.count(b"\n") == len(differing) + 1


async def test_what_others_refer_to_is_deleted_after_these_were_changed() -> None:
    articles = Memory({numbered(9): sample(9, str(numbered(1)))})
    authors = Memory({numbered(i): sample(i) for i in (1, 2)}, by=articles)
    features = [feature("authors", authors), feature("articles", articles)]
    earlier = await changes(features)
    articles.records[numbered(9)] = sample(9, str(numbered(2)))
    del authors.records[numbered(1)]
    found, now = await changes(features, earlier), await changes(features)

    articles.records, authors.records = {}, {}
    await load(features, earlier)
    await load(features, found)

    assert await changes(features) == now


async def test_what_others_still_refer_to_is_one_line() -> None:
    articles = Memory({numbered(9): sample(9, str(numbered(1)))})
    authors = [feature("authors", Memory({numbered(1): sample(1)}, by=articles))]
    found = await changes([feature("authors", Memory())], await changes(authors))

    with pytest.raises(TransferError, match=f"^authors {numbered(1)}: It is gone, but others"):
        await load(authors, found)


@pytest.mark.parametrize(
    "wrong",
    [
        b"".join(dump_of(many(3)).splitlines(keepends=True)[:2]),
        b"",
        dump_of(many(3))[:-1],
        dump_of(many(3)).replace(b"0: ", b"1: "),
        dump_of(many(3)).replace(b'{"probe"', b'{"other"'),
    ],
)
async def test_an_earlier_dump_that_does_not_fit_is_one_line(wrong: bytes) -> None:
    memory = Memory({each.id: each for each in many(3)})
    file = BytesIO()

    with pytest.raises(TransferError, match=r"^The earlier dump is of other features, or was"):
        await work.dump([feature("probe", memory)], file, quiet, Earlier(BytesIO(wrong)))
