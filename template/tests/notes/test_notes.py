"""Notes in repositories, and over HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx2

from app.notes.models import Comment, Note
from app.notes.repository import NoteRepository
from tests.kit.resources import ResourceTests
from tests.kit.support import REQUESTS, at_once
from tests.notes import samples
from tests.notes.memory import MemoryNotes

STATUSES = {
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


class TestNotes(ResourceTests):
    feature = samples.FEATURE
    resource, memory, samples = Note, MemoryNotes, samples

    def changes(self, resources: Any) -> list[Callable[..., Awaitable[object]]]:
        comment = partial(resources.add_comment, comment=Comment.new("a remark"))
        return [*super().changes(resources), resources.send, comment]

    def writes(self) -> list[tuple[str, str, Any]]:
        comment = {"content": "a remark"}
        return [*super().writes(), ("POST", "/send", None), ("POST", "/comments", comment)]


async def test_to_send_a_note_changes_it(notes: NoteRepository) -> None:
    note = await notes.add(samples.new_note("Buy oat milk"))

    for times in (1, 2):
        sent = await notes.send(note.id, expected=frozenset({1, 2}))
        assert (sent.times_sent, sent.version, sent.content) == (times, times + 1, note.content)
        assert await notes.get(note.id) == sent


def test_every_send_counts(client: httpx2.Client) -> None:
    place = client.post("/notes", json={"content": "x"}).headers["Location"]

    sent = at_once(lambda _: client.post(f"{place}/send"))

    assert {answer.status_code for answer in sent} == {200}
    tags = {answer.headers["ETag"] for answer in sent}
    assert tags == {f'"{version}"' for version in range(2, REQUESTS + 2)}
    assert client.get(place).json()["data"]["times_sent"] == REQUESTS


def test_the_document_says_what_can_come(client: httpx2.Client) -> None:
    document = client.get("/openapi.json").json()

    statuses, with_key = {}, {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items() if path.startswith("/notes") else ():
            found = {*operation["responses"]} - {"401", "403"}
            assert found >= {"500", "503"}
            statuses[f"{method} {path}"] = " ".join(sorted(found - {"500", "503"}))
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "Idempotency-Key":
                    with_key[path], _ = parameter["schema"]["anyOf"]
    assert statuses == STATUSES
    assert with_key.keys() == {"/notes", "/notes/{note_id}/comments"}
    for text in with_key.values():
        assert (text["minLength"], text["maxLength"], text["pattern"]) == (1, 255, "^[!-~]+$")
    assert document["components"]["schemas"]["NewContent"]["additionalProperties"] is False
