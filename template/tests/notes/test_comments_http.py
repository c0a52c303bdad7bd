"""Comments over HTTP."""

from collections import Counter
from typing import Any

import httpx2
import pytest

from app.notes.models import MAX_COMMENTS
from tests.kit.support import REQUESTS, at_once, check_problem

BODY = {"content": "a remark"}


@pytest.fixture
def note(client: httpx2.Client) -> str:
    """The path of a note."""
    place: str = client.post("/notes", json={"content": "Buy oat milk"}).headers["Location"]
    return place


def comments(client: httpx2.Client, note: str) -> Any:
    return client.get(note).json()["data"]["comments"]


def test_a_comment_belongs_to_its_note(client: httpx2.Client, note: str) -> None:
    added = client.post(f"{note}/comments", json=BODY)
    place, comment = added.headers["Location"], added.json()["data"]

    assert (added.status_code, added.headers["ETag"]) == (201, '"2"')
    assert place == f"{note}/comments/{comment['id']}"
    assert client.get(place).json()["data"] == comment
    assert comments(client, note) == [comment]
    check_problem(client.delete(place, headers={"If-Match": '"1"'}), 412)
    assert client.delete(place).status_code == 204
    assert client.get(note).headers["ETag"] == '"3"'
    for path in (place, f"{note}/comments/x"):
        check_problem(client.delete(path, headers={"If-Match": '"1"'}), 404)
        check_problem(client.get(path), 404)
    place = client.post(f"{note}/comments", json=BODY).headers["Location"]
    client.delete(note)
    check_problem(client.get(place), 404)


def test_a_repetition_gets_the_first_answer(client: httpx2.Client, note: str) -> None:
    headers = {"Idempotency-Key": "k", "If-Match": '"1"'}
    first = client.post(f"{note}/comments", json=BODY, headers=headers)
    sent = client.post(f"{note}/send")

    again = client.post(f"{note}/comments", json=BODY, headers=headers)
    other = client.post(f"{note}/comments", json={"content": "another"}, headers=headers)
    malformed = client.post(f"{note}/comments", json=BODY, headers={"Idempotency-Key": "a b"})

    assert (again.status_code, again.content) == (201, first.content)
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    for refused in (other, malformed):
        (error,) = check_problem(refused, 422)["errors"]
        assert (error["in"], error["pointer"]) == ("header", "/Idempotency-Key")
    assert client.get(note).json() == sent.json()


@pytest.mark.parametrize("tag", ["*", '"1"'])
def test_one_key_at_the_same_moment_makes_one_comment(
    client: httpx2.Client, note: str, tag: str
) -> None:
    headers = {"Idempotency-Key": "k", "If-Match": tag}

    answers = at_once(lambda _: client.post(f"{note}/comments", json=BODY, headers=headers))

    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.headers["Location"], answer.content) for answer in answers}) == 1
    assert len(comments(client, note)) == 1


def test_keys_at_the_same_moment_make_a_comment_each(client: httpx2.Client, note: str) -> None:
    def add_twice(number: int) -> httpx2.Response:
        for _ in range(2):
            key = {"Idempotency-Key": f"{number}"}
            answer = client.post(f"{note}/comments", json={"content": f"{number}"}, headers=key)
        return answer

    answers = at_once(add_twice)

    tags = sorted(int(answer.headers["ETag"].strip('"')) for answer in answers)
    assert tags == list(range(2, REQUESTS + 2))
    assert len(comments(client, note)) == REQUESTS


def test_they_stop_at_the_limit(client: httpx2.Client, note: str) -> None:
    for _ in range(MAX_COMMENTS - 10):
        client.post(f"{note}/comments", json=BODY)

    answers = at_once(lambda _: client.post(f"{note}/comments", json=BODY).status_code)

    assert Counter(answers) == {201: 10, 409: REQUESTS - 10}
    assert len(comments(client, note)) == MAX_COMMENTS
    for body, tag, status in (({}, '"0"', 422), (BODY, '"0"', 412), (BODY, "*", 409)):
        headers = {"If-Match": tag}
        check_problem(client.post(f"{note}/comments", json=body, headers=headers), status)


def test_a_comment_on_a_note_being_deleted_leaves_nothing(client: httpx2.Client, note: str) -> None:
    def delete_or_comment(number: int) -> int:
        if number == REQUESTS // 2:
            return client.delete(note).status_code
        return client.post(f"{note}/comments", json=BODY).status_code

    statuses = Counter(at_once(delete_or_comment))

    assert statuses[204] == 1
    assert statuses[201] + statuses[404] == REQUESTS - 1
    check_problem(client.get(note), 404)
