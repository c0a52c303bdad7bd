"""What HTTP answers to the requests of every resource."""

import re
from collections import Counter
from typing import Any
from uuid import UUID

from app.kit.attributes import attributes
from app.kit.ids import new_id
from tests.kit.resources.base import OfResource
from tests.kit.support import REQUESTS, at_once, check_problem

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class HttpTests(OfResource):
    """The tests of its routes."""

    def writes(self) -> list[tuple[str, str, Any]]:
        """Return the writes: the method, what the path has after the resource's, and the body."""
        body = self.body(1)
        return [("PUT", "", body), ("PATCH", "", body), ("PATCH", "", {}), ("DELETE", "", None)]

    def test_what_is_created_is_at_its_location(self) -> None:
        answer = self.post()
        place, created = answer.headers["Location"], answer.json()["data"]

        assert (place, answer.headers["ETag"]) == (f"{self.path}/{created['id']}", '"1"')
        assert UUID(created["id"]).version == 7
        assert TIME.fullmatch(created["created_at"])
        assert self.body().items() <= created.items()
        assert (created["version"], created["updated_at"]) == (1, created["created_at"])
        found = self.client.get(place)
        assert (found.status_code, found.text) == (200, answer.text)
        assert found.headers["ETag"] == '"1"'
        known = self.client.get(place, headers={"If-None-Match": '"1"'})
        assert (known.status_code, known.headers["ETag"], known.content) == (304, '"1"', b"")
        for params in ({}, *({name: created[name]} for name in self.filters)):
            assert self.client.get(self.path, params=params).json()["data"] == [created]

    def test_it_is_replaced_changed_and_deleted(self) -> None:
        place, first, second = self.post().headers["Location"], self.body(), self.body(1)

        changed = self.client.put(place, json=second)
        assert second.items() <= changed.json()["data"].items()
        assert self.client.patch(place, json={}).text == changed.text
        for version, (name, value) in enumerate(first.items(), 3):
            changed = self.client.patch(place, json={name: value})
            assert changed.json()["data"][name] == value
            assert changed.headers["ETag"] == f'"{version}"'
        assert self.client.get(place).text == changed.text
        deleted = self.client.delete(place)
        assert (deleted.status_code, deleted.content) == (204, b"")
        check_problem(self.client.get(place), 404)

    def test_pages_lead_to_the_last(self) -> None:
        made = [self.post(number).json()["data"] for number in self.several()]

        met: list[Any] = []
        params: dict[str, Any] = {"limit": 2}
        for _ in range(0, len(made), 2):
            page = self.client.get(self.path, params=params).json()
            met += page["data"]
            params["cursor"] = page["next_cursor"]

        assert met == made[::-1]
        assert page["next_cursor"] is None

    def test_checks_come_in_the_order_404_422_412(self) -> None:
        created, invalid = self.post(), {"unknown": 1}
        place, missing = created.headers["Location"], f"{self.path}/{new_id()}"

        for method, more, body in self.writes():
            cases = [(path, body, '"2"', 404) for path in (missing, f"{self.path}/x")]
            cases += [(place, body, tags, 412) for tags in ('"2"', "1", 'W/"1"')]
            if body is not None:
                cases += [(missing, invalid, '"2"', 404), (place, invalid, '"2"', 422)]
            for path, sent, tags, status in cases:
                headers = {"If-Match": tags}
                answer = self.client.request(method, path + more, json=sent, headers=headers)
                check_problem(answer, status)
        check_problem(self.client.post(self.path, json=invalid), 422)
        assert self.client.get(place).text == created.text
        headers = {"If-Match": '"2", "1"'}
        assert self.client.put(place, json=self.body(1), headers=headers).status_code == 200

    def test_null_is_a_value_of_optional_fields_alone(self) -> None:
        place = self.post().headers["Location"]
        optional = {each.name for each in attributes(self.resource) if each.is_nullable}
        for name in self.memory.body.model_fields:
            if name in optional:
                assert self.client.patch(place, json={name: None}).json()["data"][name] is None
                assert self.client.patch(place, json={}).json()["data"][name] is None
            else:
                problem = check_problem(self.client.patch(place, json={name: None}), 422)
                assert problem["errors"][0]["pointer"] == f"/{name}"

    def test_of_writers_with_the_same_if_match_one_wins(self) -> None:
        place, body = self.post().headers["Location"], self.body(1)

        answers = at_once(
            lambda _: self.client.put(place, json=body, headers={"If-Match": '"1"'}).status_code
        )

        assert Counter(answers) == {200: 1, 412: REQUESTS - 1}
        assert self.client.get(place).headers["ETag"] == '"2"'

    def test_what_was_written_is_read(self) -> None:
        self.body()  # What it refers to is stored.

        def write_and_read(number: int) -> int:
            key = "k" if self.memory.unique else f"k{number}"
            place = self.post(key=key).headers["Location"]
            return self.client.get(place).status_code

        assert {*at_once(write_and_read)} == {200}
