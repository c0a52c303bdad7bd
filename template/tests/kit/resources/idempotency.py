"""`Idempotency-Key`: a request that is sent again is answered as the first was, and done once."""

from typing import Any

import httpx2
import pytest

from app.kit.errors import Conflict, KeyReused
from tests.kit.resources.base import OfResource
from tests.kit.support import at_once, check_problem

KEYS = ["k", "K", "k~", "k" * 255, "~" * 255, "'\"\\$.%_{}"]
MALFORMED = ["", "k" * 256, "a b", "a, b", "a\tb", "\u00e9", "a\nb", "a\na"]


def check_refused(answer: httpx2.Response) -> None:
    """See that a request is refused because of its key."""
    (error,) = check_problem(answer, 422)["errors"]
    assert (error["in"], error["pointer"]) == ("header", "/Idempotency-Key")


class IdempotencyTests(OfResource):
    """The tests of its keys."""

    async def test_a_key_adds_one(self, resources: Any) -> None:
        first = await resources.add(self.new(), key="k")
        await resources.update(first.id, self.values(1))

        assert await resources.add(self.new(), key="k") == first
        if self.values() != self.values(1):
            with pytest.raises(KeyReused):
                await resources.add(self.new(1), key="k")
        assert [each.id for each in await resources.latest(limit=9)] == [first.id]

    async def test_keys_are_exact(self, resources: Any) -> None:
        keys = [*zip(self.several(), KEYS, strict=False)]
        made = [await resources.add(self.new(number), key=key) for number, key in keys]

        assert await resources.latest(limit=9) == made[::-1]
        assert [await resources.add(self.new(number), key=key) for number, key in keys] == made

    async def test_a_failure_or_a_deletion_frees_the_key(self, resources: Any) -> None:
        stored = await resources.add(self.new())
        with pytest.raises(Conflict):
            await resources.add(stored, key="k")
        await resources.delete(stored.id)

        for number in (0, 1):
            new = self.new(number)
            assert await resources.add(new, key="k") == new
            await resources.delete(new.id)

    def test_a_repetition_gets_the_first_answer(self) -> None:
        first = self.post(key="k")
        changed = self.client.put(first.headers["Location"], json=self.body(1))

        again = self.post(key="k")

        assert again.content == first.content
        for name in ("Location", "ETag", "Content-Type"):
            assert again.headers[name] == first.headers[name]
        if self.body() != self.body(1):
            headers = {"Idempotency-Key": "k", "If-Match": '"9"'}
            check_refused(self.client.post(self.path, json=self.body(1), headers=headers))
        assert self.client.get(self.path).json()["data"] == [changed.json()["data"]]

    def test_an_invalid_request_does_not_use_its_key_up(self) -> None:
        for key in MALFORMED:
            lines = [(b"Idempotency-Key", line.encode("latin-1")) for line in key.split("\n")]
            check_refused(self.client.post(self.path, json=self.body(), headers=lines))
        headers = {"Idempotency-Key": "k"}
        check_problem(self.client.post(self.path, json={"unknown": 1}, headers=headers), 422)

        assert self.client.get(self.path).json()["data"] == []
        assert self.post(key="k").headers["ETag"] == '"1"'

    def test_one_key_at_the_same_moment_makes_one(self) -> None:
        self.body()  # What it refers to is stored.

        answers = at_once(lambda _: self.post(key="k"))

        assert len({(answer.headers["Location"], answer.content) for answer in answers}) == 1
        assert len(self.client.get(self.path).json()["data"]) == 1
