"""Notes over HTTP: what each request answers when all is well."""

import re
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.kit.support import check_problem
from tests.notes.made import new_note

MISSING = "/notes/01890a5d-ac96-774b-bcce-b302099a8057"

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def create(client: httpx2.Client, content: str = "Buy oat milk") -> dict[str, Any]:
    answer = client.post("/notes", json={"content": content})
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()["data"]
    return note


def test_a_created_note_is_there_under_its_location(client: httpx2.Client) -> None:
    answer = client.post("/notes", json={"content": "  Buy oat milk\n"})

    note = answer.json()["data"]
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == f"/notes/{note['id']}"
    assert UUID(note["id"]).version == 7
    assert TIME.fullmatch(note["created_at"])
    assert note == note | {
        "content": "  Buy oat milk\n",
        "times_sent": 0,
        "version": 1,
        "updated_at": note["created_at"],
        "comments": [],
    }
    found = client.get(answer.headers["Location"])
    assert (found.status_code, found.json()) == (200, answer.json())


def test_ids_grow_from_note_to_note(client: httpx2.Client) -> None:
    ids = [create(client)["id"] for _ in range(50)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 50


def test_times_of_creation_are_in_the_order_of_ids() -> None:
    notes = [new_note("x") for _ in range(5000)]

    times = [round(note.created_at.timestamp() * 1000) for note in notes]
    assert times == [note.id.int >> 80 for note in notes]


def test_pages_lead_from_the_newest_to_the_last(client: httpx2.Client) -> None:
    created = [create(client, f"note {i}")["id"] for i in range(7)]

    met: list[str] = []
    cursor = None
    while len(met) < 7:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get("/notes", params=params).json()
        met += [note["id"] for note in page["data"]]
        cursor = page["next_cursor"]
    assert met[:7] == created[::-1]

    while cursor:
        page = client.get("/notes", params={"limit": 100, "cursor": cursor}).json()
        cursor = page["next_cursor"]
    assert page["next_cursor"] is None


def test_a_note_is_replaced_changed_and_sent(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    replaced = client.put(path, json={"content": "by put"})
    changed = client.patch(path, json={"content": "by patch"})
    sent = client.post(f"{path}/send")

    assert [a.headers["ETag"] for a in (replaced, changed, sent)] == ['"2"', '"3"', '"4"']
    assert replaced.json()["data"]["content"] == "by put"
    assert changed.json()["data"]["content"] == "by patch"
    assert sent.json()["data"]["times_sent"] == 1
    assert client.get(path).json() == sent.json()


def test_an_empty_patch_changes_nothing(client: httpx2.Client) -> None:
    note = create(client)

    answer = client.patch(f"/notes/{note['id']}", json={})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert answer.json()["data"] == note


def test_a_deleted_note_is_gone_with_its_comments(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"
    comment = client.post(f"{path}/comments", json={"content": "a remark"}).headers["Location"]

    answer = client.delete(path)

    assert (answer.status_code, answer.content) == (204, b"")
    for request in (client.delete(path), client.get(path), client.get(comment)):
        assert request.status_code == 404


def test_comments_belong_to_their_note(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    added = client.post(f"{path}/comments", json={"content": "a remark"})

    comment = added.json()["data"]
    location = f"{path}/comments/{comment['id']}"
    assert (added.status_code, added.headers["ETag"]) == (201, '"2"')
    assert added.headers["Location"] == location
    assert client.get(location).json()["data"] == comment
    assert client.get(path).json()["data"]["comments"] == [comment]
    assert client.delete(location).status_code == 204
    assert client.delete(location).status_code == 404
    assert client.get(path).headers["ETag"] == '"3"'


def test_the_hundred_and_first_comment_is_a_conflict(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    answers = [client.post(f"{path}/comments", json={"content": "c"}) for _ in range(101)]

    assert [a.status_code for a in answers] == [201] * 100 + [409]
    assert client.get(path).json()["data"]["version"] == 101


def test_if_match_lets_only_the_version_through(client: httpx2.Client) -> None:
    note = create(client)
    path, headers = f"/notes/{note['id']}", {"If-Match": '"2", "1"'}

    for tags in ('"2"', "1"):
        other = {"If-Match": tags}
        check_problem(client.put(path, json={"content": "new"}, headers=other), 412)
        check_problem(client.patch(path, json={}, headers=other), 412)
        check_problem(client.post(f"{path}/send", headers=other), 412)
        check_problem(client.post(f"{path}/comments", json={"content": "c"}, headers=other), 412)
        check_problem(client.delete(path, headers=other), 412)

    assert client.get(path).json()["data"] == note
    assert client.put(path, json={"content": "new"}, headers=headers).headers["ETag"] == '"2"'


def test_if_none_match_spares_a_known_version(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"
    answer = client.get(path, headers={"If-None-Match": '"1"'})

    assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, '"1"', b"")


@pytest.mark.parametrize(
    "body", [{}, {"content": None}, {"content": " "}, {"content": "x", "id": 1}], ids=str
)
def test_an_invalid_body_is_422_wherever_it_is_sent(client: httpx2.Client, body: object) -> None:
    path = f"/notes/{create(client)['id']}"
    writes = [("POST", "/notes"), ("PUT", path), ("POST", f"{path}/comments"), ("PATCH", path)]

    for method, target in writes[: 4 if body else 3]:  # An empty PATCH is valid.
        check_problem(client.request(method, target, json=body), 422)


def test_a_malformed_id_is_404_whatever_is_sent(client: httpx2.Client) -> None:
    check_problem(client.put("/notes/x", json={}), 404)
    check_problem(client.post("/notes/x/comments", json={}), 404)
    check_problem(client.delete(f"/notes/{create(client)['id']}/comments/x"), 404)


def test_checks_come_in_the_order_404_422_412_409(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"
    for _ in range(100):
        client.post(f"{path}/comments", json={"content": "c"})
    wrong, blank, valid = {"If-Match": '"0"'}, {"content": " "}, {"content": "x"}

    for body in (blank, valid):
        check_problem(client.put(MISSING, json=body, headers=wrong), 404)
        check_problem(client.post(f"{MISSING}/comments", json=body, headers=wrong), 404)
    check_problem(client.delete(f"{path}/comments/{path[7:]}", headers=wrong), 404)
    check_problem(client.post(f"{path}/comments", json=blank, headers=wrong), 422)
    check_problem(client.post(f"{path}/comments", json=valid, headers=wrong), 412)
    check_problem(client.post(f"{path}/comments", json=valid), 409)


def test_the_document_says_what_can_come(client: httpx2.Client) -> None:
    document = client.get("/openapi.json").json()

    statuses = {
        f"{method} {path}": set(operation["responses"]) - {"401", "403"}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/notes")
    }
    assert all(found >= {"500", "503"} for found in statuses.values())
    assert {name: " ".join(sorted(found - {"500", "503"})) for name, found in statuses.items()} == {
        "get /notes": "200 422",
        "post /notes": "201 408 413 422",
        "get /notes/{note_id}": "200 304 404",
        "put /notes/{note_id}": "200 404 408 412 413 422",
        "patch /notes/{note_id}": "200 404 408 412 413 422",
        "delete /notes/{note_id}": "204 404 412",
        "post /notes/{note_id}/send": "200 404 412",
        "post /notes/{note_id}/comments": "201 404 408 409 412 413 422",
        "get /notes/{note_id}/comments/{comment_id}": "200 404",
        "delete /notes/{note_id}/comments/{comment_id}": "204 404 412",
    }
    assert document["components"]["schemas"]["NewContent"]["additionalProperties"] is False
