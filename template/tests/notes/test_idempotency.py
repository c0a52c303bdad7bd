"""`Idempotency-Key`: a request that is sent again is answered as the first was, and done once."""

from uuid import uuid4

import httpx2
import pytest

from tests.kit.support import check_problem
from tests.notes.test_concurrency import REQUESTS, all_at_once
from tests.notes.test_notes import MISSING, create

BAD_KEYS = {
    "empty": [b""],
    "too long": [b"k" * 256],
    "space": [b"a b"],
    "two lines": [b"a", b"b"],
    "a line twice": [b"a", b"a"],
    "two lines joined": [b"a, b"],
    "tab": [b"a\tb"],
    "not ASCII": ["\u00e9".encode("latin-1")],
}


def post(client: httpx2.Client, path: str, content: str, **headers: str) -> httpx2.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, json={"content": content}, headers=names)


def test_the_same_key_gets_the_first_answer_of_a_note(client: httpx2.Client) -> None:
    key = uuid4().hex
    first = post(client, "/notes", "Buy oat milk", Idempotency_Key=key)
    path = first.headers["Location"]
    client.put(path, json={"content": "Buy cream"})
    client.post(f"{path}/comments", json={"content": "a remark"})

    again = post(client, "/notes", "Buy oat milk", Idempotency_Key=key)

    assert (again.status_code, again.content) == (201, first.content)
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert client.get(path).json()["data"]["version"] == 3


def test_the_same_key_gets_the_first_answer_of_a_comment(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"
    headers = {"Idempotency_Key": "k", "If_Match": '"1"'}
    first = post(client, f"{path}/comments", "a remark", **headers)
    sent = client.post(f"{path}/send")

    again = post(client, f"{path}/comments", "a remark", **headers)

    assert first.headers["ETag"] == '"2"'
    assert (again.status_code, again.content) == (201, first.content)
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert client.get(path).json() == sent.json()


def test_a_key_with_another_body_is_422(client: httpx2.Client) -> None:
    key, path = uuid4().hex, f"/notes/{create(client)['id']}/comments"

    for target in ("/notes", path):
        first = post(client, target, "Buy oat milk", Idempotency_Key=key)
        other = post(client, target, "Buy cream", Idempotency_Key=key, If_Match='"9"')

        (error,) = check_problem(other, 422)["errors"]
        assert (error["in"], error["pointer"]) == ("header", "/Idempotency-Key")
        assert post(client, target, "Buy oat milk", Idempotency_Key=key).text == first.text


@pytest.mark.parametrize("lines", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_malformed_key_is_422(client: httpx2.Client, lines: list[bytes]) -> None:
    note = create(client)
    headers = [(b"Idempotency-Key", line) for line in lines]

    for path in ("/notes", f"/notes/{note['id']}/comments"):
        answer = client.post(path, json={"content": "x"}, headers=headers)
        (error,) = check_problem(answer, 422)["errors"]
        assert (error["in"], error["pointer"]) == ("header", "/Idempotency-Key")
    check_problem(client.post(f"{MISSING}/comments", json={"content": "x"}, headers=headers), 404)
    assert client.get("/notes?limit=1").json()["data"] == [note]


def test_an_invalid_request_does_not_use_its_key_up(client: httpx2.Client) -> None:
    key = uuid4().hex
    check_problem(post(client, "/notes", " ", Idempotency_Key=key), 422)

    assert post(client, "/notes", "x", Idempotency_Key=key).status_code == 201


def test_a_deleted_note_frees_its_key(client: httpx2.Client) -> None:
    key = uuid4().hex
    first = post(client, "/notes", "x", Idempotency_Key=key).headers["Location"]
    client.delete(first)

    again = post(client, "/notes", "x", Idempotency_Key=key)

    assert again.status_code == 201
    assert again.headers["Location"] != first
    assert client.get(again.headers["Location"]).status_code == 200


def test_one_key_at_the_same_moment_makes_one_note(client: httpx2.Client) -> None:
    key = uuid4().hex

    answers = all_at_once(lambda _: post(client, "/notes", "x", Idempotency_Key=key))

    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.headers["Location"], answer.content) for answer in answers}) == 1
    notes = client.get(f"/notes?limit={REQUESTS}").json()["data"]
    assert [note["id"] for note in notes].count(answers[0].json()["data"]["id"]) == 1


@pytest.mark.parametrize("condition", [{}, {"If_Match": '"1"'}], ids=["any", "If-Match"])
def test_one_key_at_the_same_moment_makes_one_comment(
    client: httpx2.Client, condition: dict[str, str]
) -> None:
    path = f"/notes/{create(client)['id']}"

    answers = all_at_once(
        lambda _: post(client, f"{path}/comments", "x", Idempotency_Key="k", **condition)
    )

    assert {(answer.status_code, answer.headers["ETag"]) for answer in answers} == {(201, '"2"')}
    assert len({(answer.headers["Location"], answer.content) for answer in answers}) == 1
    note = client.get(path).json()["data"]
    assert (note["version"], note["comments"]) == (2, [answers[0].json()["data"]])


def test_keys_at_the_same_moment_make_a_comment_each(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    def add_twice(i: int) -> httpx2.Response:
        post(client, f"{path}/comments", f"{i}", Idempotency_Key=f"{i}")
        return post(client, f"{path}/comments", f"{i}", Idempotency_Key=f"{i}")

    answers = all_at_once(add_twice)

    tags = sorted(int(answer.headers["ETag"].strip('"')) for answer in answers)
    assert tags == list(range(2, REQUESTS + 2))
    assert len(client.get(path).json()["data"]["comments"]) == REQUESTS


def test_the_document_describes_the_key(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    with_key = {
        path: parameter
        for path, operations in paths.items()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }
    paths_of_notes = {path for path in with_key if path.startswith("/notes")}
    assert paths_of_notes == {"/notes", "/notes/{note_id}/comments"}
    for parameter in with_key.values():
        text, _ = parameter["schema"]["anyOf"]
        assert (text["minLength"], text["maxLength"], text["pattern"]) == (1, 255, "^[!-~]+$")
