"""What every resource promises, whatever its fields: its repositories, and what HTTP answers.

A subclass names what is tested. Its samples are two bodies with other values where that can be.
"""

from collections.abc import Iterator
from dataclasses import fields
from types import ModuleType
from typing import Any

import httpx2
import pytest

from app.kit.attributes import attributes, references
from app.kit.dump.feature import TransferError, find
from app.kit.errors import Conflict, KeyReused, NotFound, PreconditionFailed, Taken
from app.kit.features import Feature
from app.kit.ids import new_id
from app.kit.storage import Storage
from tests.kit.dumps import dump_of, loaded
from tests.kit.memory import MemoryResources
from tests.kit.support import check_problem, delete_all


class ResourceTests:
    """The tests of one resource; ``filters`` are the parameters of its list."""

    feature: Feature
    resource: Any
    memory: type[MemoryResources[Any]]
    samples: ModuleType
    filters: tuple[str, ...] = ()

    @pytest.fixture(autouse=True)
    def emptied(self, client: httpx2.Client) -> Iterator[None]:
        """Leave nothing to other tests."""
        yield
        delete_all(client, *self.samples.PATHS)

    @pytest.fixture(params=["database", "memory"])
    def resources(self, request: pytest.FixtureRequest, storage: Storage) -> Any:
        """The real repository, and one in memory that must be like it."""
        return self.memory() if request.param == "memory" else storage.repository(self.feature)

    def body(self, client: httpx2.Client, number: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.samples.body(client, number)
        return found

    def values(self, client: httpx2.Client, number: int = 0) -> dict[str, Any]:
        body: Any = self.memory.body.model_validate(self.body(client, number))
        values: dict[str, Any] = body.values()
        return values

    def new(self, client: httpx2.Client, number: int = 0) -> Any:
        return self.resource.new(self.memory.body.model_validate(self.body(client, number)))

    def record(self, client: httpx2.Client, **more: Any) -> Any:
        """Return the record of a new resource."""
        new = self.new(client)
        values = {each.name: getattr(new, each.name) for each in fields(new)}
        return self.feature.load("models").Record(**values | more)

    def two(self, client: httpx2.Client) -> tuple[int, ...]:
        """Return the numbers of the samples that can be stored at once."""
        first, second = self.body(client), self.body(client, 1)
        return (0,) if any(first[name] == second[name] for name in self.memory.unique) else (0, 1)

    async def test_it_comes_back_as_it_was_stored(
        self, resources: Any, client: httpx2.Client
    ) -> None:
        stored = await resources.add(self.new(client))

        assert await resources.get(stored.id) == stored
        with pytest.raises(Conflict):
            await resources.add(stored)

    async def test_pages_lead_from_the_newest_to_the_oldest(
        self, resources: Any, client: httpx2.Client
    ) -> None:
        stored = [await resources.add(self.new(client, each)) for each in self.two(client)][::-1]

        assert await resources.latest(limit=2) == stored
        assert await resources.latest(limit=2, before=stored[0].id) == stored[1:]
        for name in self.filters:
            value = getattr(stored[0], name)
            wanted = [each for each in stored if getattr(each, name) == value]
            assert await resources.latest(limit=2, filters={name: value}) == wanted
            assert await resources.latest(limit=1, filters={name: value}) == wanted[:1]

    async def test_a_change_needs_the_expected_version(
        self, resources: Any, client: httpx2.Client
    ) -> None:
        stored = await resources.add(self.new(client))
        values, first = self.values(client, 1), frozenset({1})

        changed = await resources.update(stored.id, values, expected=first)

        assert {name: getattr(changed, name) for name in values} == values
        assert changed.version == 2
        assert await resources.get(stored.id) == changed
        with pytest.raises(PreconditionFailed):
            await resources.update(stored.id, values, expected=first)
        with pytest.raises(PreconditionFailed):
            await resources.delete(stored.id, expected=first)

    async def test_a_key_adds_one(self, resources: Any, client: httpx2.Client) -> None:
        first = await resources.add(self.new(client), key="one")

        assert await resources.add(self.new(client), key="one") == first
        if self.values(client) != self.values(client, 1):
            with pytest.raises(KeyReused):
                await resources.add(self.new(client, 1), key="one")
        await resources.delete(first.id)
        assert await resources.add(second := self.new(client), key="one") == second

    async def test_what_is_deleted_is_gone(self, resources: Any, client: httpx2.Client) -> None:
        stored = await resources.add(self.new(client))

        await resources.delete(stored.id)

        for this_id in (stored.id, new_id()):
            with pytest.raises(NotFound):
                await resources.get(this_id)
            with pytest.raises(NotFound):
                await resources.delete(this_id)

    async def test_it_comes_back_from_a_dump(self, storage: Storage, client: httpx2.Client) -> None:
        resources = storage.repository(self.feature)
        stored = await resources.add(self.new(client), key="one")
        records = [record async for page in resources.dump() for record in page]
        await resources.delete(stored.id)

        for _ in range(2):
            await resources.load(records)

        assert await resources.get(stored.id) == stored
        assert await resources.add(self.new(client), key="one") == stored

    def test_it_is_read_and_changed_over_http(self, client: httpx2.Client) -> None:
        path, first, second = self.samples.PATHS[0], self.body(client), self.body(client, 1)
        created = client.post(path, json=first)
        place, stored = created.headers["Location"], created.json()["data"]

        assert created.status_code == 201
        assert client.get(place).json()["data"] == stored
        assert client.get(path).json()["data"] == [stored]
        for name in self.filters:
            assert client.get(path, params={name: stored[name]}).json()["data"] == [stored]
        replaced = client.put(place, json=second, headers={"If-Match": '"1"'})
        assert second.items() <= replaced.json()["data"].items()
        assert client.patch(place, json={}).headers["ETag"] == '"2"'
        for name, value in first.items():
            assert client.patch(place, json={name: value}).json()["data"][name] == value
        check_problem(client.delete(place, headers={"If-Match": '"1"'}), 412)
        assert client.delete(place).status_code == 204
        check_problem(client.get(place), 404)

    def test_null_is_a_value_of_optional_fields_alone(self, client: httpx2.Client) -> None:
        path = self.samples.PATHS[0]
        place = client.post(path, json=self.body(client)).headers["Location"]
        optional = {each.name for each in attributes(self.resource) if each.is_nullable}
        for name in self.memory.body.model_fields:
            if name in optional:
                assert client.patch(place, json={name: None}).json()["data"][name] is None
                assert client.patch(place, json={}).json()["data"][name] is None
            else:
                problem = check_problem(client.patch(place, json={name: None}), 422)
                assert problem["errors"][0]["pointer"] == f"/{name}"

    def test_a_unique_value_is_given_once(self, client: httpx2.Client) -> None:
        path = self.samples.PATHS[0]
        *_, other = (client.post(path, json=self.body(client, n)) for n in self.two(client))
        first, second = self.body(client), self.body(client, 1)
        for name in self.memory.unique:
            given = {name: first[name]}
            assert name in taken(client.post(path, json=second | given))
            if len(self.two(client)) > 1:
                assert taken(client.put(other.headers["Location"], json=second | given)) == [name]
                assert taken(client.patch(other.headers["Location"], json=given)) == [name]
        if self.memory.unique:
            assert taken(client.post(path, json=first)) == [*self.memory.unique]

    async def test_taken_values_are_named(self, resources: Any, client: httpx2.Client) -> None:
        await resources.add(self.new(client))
        for name in self.memory.unique[:1]:
            with pytest.raises(Taken) as raised:
                await resources.add(self.new(client))
            assert raised.value.fields == self.memory.unique, name

    async def test_a_record_that_cannot_be_loaded_is_named(
        self, storage: Storage, client: httpx2.Client
    ) -> None:
        feature = find(self.feature.name, [self.feature], storage)
        await feature.repository.load([self.record(client)])
        lost = dict.fromkeys(references(self.resource), new_id())
        cases = [({}, self.memory.unique), (lost, tuple(lost))]
        for more, names in (case for case in cases if case[1]):
            dump = dump_of([self.record(client, **more)], feature)
            with pytest.raises(TransferError, match=f"^line 1: {', '.join(names)}: "):
                await loaded(feature, dump)

    def test_what_it_refers_to_must_exist_and_stays(self, client: httpx2.Client) -> None:
        path = self.samples.PATHS[0]
        referring = client.post(path, json=self.body(client)).json()["data"]
        for name, target in references(self.resource).items():
            missing = client.post(path, json=self.body(client, 1) | {name: str(new_id())})
            assert check_problem(missing, 422)["errors"][0]["pointer"] == f"/{name}"
            referred = f"/{target.replace('_', '-')}/{referring[name]}"
            check_problem(client.delete(referred), 409)
            assert client.get(referred).status_code == 200


def taken(answer: httpx2.Response) -> list[str]:
    """Return the fields that an answer says are taken."""
    return [each["pointer"][1:] for each in check_problem(answer, 409)["errors"]]
