"""What every repository promises, the one in memory included."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from app.kit.dump.feature import find
from app.kit.errors import Conflict, NotFound, PreconditionFailed
from app.kit.ids import new_id
from app.kit.storage import Storage
from tests.kit.dumps import dumped, loaded
from tests.kit.resources.base import OfResource

LONG_AGO = datetime(1999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


class RepositoryTests(OfResource):
    """The tests of its repositories."""

    def changes(self, resources: Any) -> list[Callable[..., Awaitable[object]]]:
        """Return the methods that change what has an id, with all other arguments."""
        return [partial(resources.update, values=self.values(1)), resources.delete]

    async def test_it_comes_back_as_it_was_stored(self, resources: Any) -> None:
        for number in self.several()[:2]:
            new = replace(self.new(number), created_at=LONG_AGO, updated_at=LONG_AGO)

            assert await resources.add(new) == new
            assert await resources.get(new.id) == new
            with pytest.raises(Conflict):
                await resources.add(replace(self.new(number), id=new.id))
            assert await resources.get(new.id) == new

    async def test_pages_lead_from_the_newest_to_the_oldest(self, resources: Any) -> None:
        stored = [await resources.add(self.new(number)) for number in self.several()][::-1]
        ids = [each.id for each in stored]
        times = [round(each.created_at.timestamp() * 1000) for each in stored]

        assert ids == sorted(ids, reverse=True)
        assert times == [each.int >> 80 for each in ids]
        assert await resources.latest(limit=9) == stored
        assert await resources.latest(limit=1) == stored[:1]
        for name in self.filters:
            value = getattr(stored[0], name)
            wanted = [each for each in stored if getattr(each, name) == value]
            assert await resources.latest(limit=9, filters={name: value}) == wanted
            assert await resources.latest(limit=1, filters={name: value}) == wanted[:1]

    async def test_what_comes_and_goes_moves_no_page(self, resources: Any) -> None:
        *_, number = numbers = self.several()
        stored = [await resources.add(self.new(each)) for each in numbers][::-1]
        page = await resources.latest(limit=2, before=stored[0].id)

        await resources.delete(stored[0].id)
        await resources.add(self.new(number))

        assert page == stored[1:3]
        assert await resources.latest(limit=2, before=stored[0].id) == page

    async def test_a_change_adds_one_to_the_version(self, resources: Any) -> None:
        values = self.values(1)

        for expected in (None, frozenset({1, 7}), frozenset({0, 1})):
            new = replace(self.new(), created_at=LONG_AGO, updated_at=LONG_AGO)
            stored = await resources.add(new)
            changed = await resources.update(stored.id, values, expected=expected)
            assert {name: getattr(changed, name) for name in values} == values
            assert (changed.version, changed.created_at) == (2, LONG_AGO)
            assert changed.updated_at > LONG_AGO
            assert await resources.get(stored.id) == changed
            assert (await resources.update(stored.id, values)).version == 3  # The same values.
            await resources.delete(stored.id, expected=expected and frozenset({0, 3}))
        assert await resources.latest(limit=1) == []

    async def test_another_version_than_expected_changes_nothing(self, resources: Any) -> None:
        stored = await resources.add(self.new())

        for change in (resources.get, *self.changes(resources)):
            for expected in (frozenset[int](), frozenset({2, 999999999})):
                with pytest.raises(PreconditionFailed):
                    await change(stored.id, expected=expected)
        assert await resources.get(stored.id) == stored

    async def test_what_is_missing_is_not_found(self, resources: Any) -> None:
        deleted = await resources.add(self.new())
        await resources.delete(deleted.id)

        for this_id in (deleted.id, new_id()):
            for change in (resources.get, *self.changes(resources)):
                for expected in (None, frozenset({1})):
                    with pytest.raises(NotFound):
                        await change(this_id, expected=expected)

    async def test_it_comes_back_from_a_dump(self, storage: Storage) -> None:
        feature = find(self.feature.name, [self.feature], storage)
        resources: Any = feature.repository
        stored = await resources.add(self.new(), key="k")
        dump = await dumped(feature)
        others = [await resources.add(self.new(number)) for number in self.several()[1:2]]
        await resources.update(stored.id, self.values())

        for _ in range(2):
            assert await loaded(feature, dump) == 1
            assert await resources.get(stored.id) == stored
            assert await resources.add(self.new(), key="k") == stored
            await resources.delete(stored.id)
        for other in others:
            assert await resources.get(other.id) == other
            await resources.delete(other.id)
        await loaded(feature, dump)
        assert await dumped(feature) == dump
