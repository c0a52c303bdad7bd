"""Unique values, and references to other resources."""

from dataclasses import fields
from typing import Any

import httpx2
import pytest

from app.kit.attributes import references
from app.kit.dump.feature import TransferError, find
from app.kit.errors import Taken
from app.kit.ids import new_id
from app.kit.storage import Storage
from tests.kit.dumps import dump_of, loaded
from tests.kit.resources.base import OfResource
from tests.kit.support import check_problem


class ConstraintTests(OfResource):
    """The tests of what its fields say of other resources."""

    def test_a_unique_value_is_given_once(self) -> None:
        numbers, first, second = self.several(), self.body(), self.body(1)
        *_, other = (self.post(number).headers["Location"] for number in numbers)
        for name in self.memory.unique:
            given = {name: first[name]}
            assert name in taken(self.client.post(self.path, json=second | given))
            if len(numbers) > 1:
                assert taken(self.client.put(other, json=second | given)) == [name]
                assert taken(self.client.patch(other, json=given)) == [name]
        if self.memory.unique:
            assert taken(self.client.post(self.path, json=first)) == [*self.memory.unique]

    async def test_taken_values_are_named(self, resources: Any) -> None:
        await resources.add(self.new())
        for name in self.memory.unique[:1]:
            with pytest.raises(Taken) as raised:
                await resources.add(self.new())
            assert raised.value.fields == self.memory.unique, name

    async def test_a_record_that_cannot_be_loaded_is_named(self, storage: Storage) -> None:
        feature = find(self.feature.name, [self.feature], storage)
        await feature.repository.load([self.record()])
        lost = dict.fromkeys(references(self.resource), new_id())
        cases = [({}, self.memory.unique), (lost, tuple(lost))]
        for more, names in (case for case in cases if case[1]):
            dump = dump_of([self.record(**more)], feature)
            with pytest.raises(TransferError, match=f"^line 1: {', '.join(names)}: "):
                await loaded(feature, dump)

    def record(self, **more: Any) -> Any:
        """Return the record of a new resource."""
        new = self.new()
        values = {each.name: getattr(new, each.name) for each in fields(new)}
        return self.feature.load("models").Record(**values | more)

    def test_what_it_refers_to_must_exist_and_stays(self) -> None:
        referring = self.post().json()["data"]
        for name, target in references(self.resource).items():
            body = self.body(1) | {name: str(new_id())}
            missing = check_problem(self.client.post(self.path, json=body), 422)
            assert missing["errors"][0]["pointer"] == f"/{name}"
            referred = f"/{target.replace('_', '-')}/{referring[name]}"
            check_problem(self.client.delete(referred), 409)
            assert self.client.get(referred).status_code == 200


def taken(answer: httpx2.Response) -> list[str]:
    """Return the fields that an answer says are taken."""
    return [each["pointer"][1:] for each in check_problem(answer, 409)["errors"]]
