"""The problems of the document are those that are answered, and its examples can be sent."""

import json
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from fastapi import Request

from app.kit.errors import Taken
from app.kit.http.examples import example_of
from app.kit.http.problems import service_error
from tests.kit.support import JSON


@pytest.fixture(scope="module")
def document(client: httpx2.Client) -> Any:
    return client.get("/openapi.json").json()


def test_what_the_page_would_send_is_what_one_would_send(document: Any) -> None:
    content = document["components"]["schemas"]["NewSample"]["properties"]["content"]

    assert content["examples"] == ["Buy oat milk"]
    assert (content["minLength"], content["maxLength"]) == (1, 255)


@pytest.mark.parametrize(
    ("status", "operation", "path", "request_parts"),
    [
        (404, "put /probe/{sample_id}", "/probe/x", {}),
        (412, "put /probe/{sample_id}", "/probe/ID", {"headers": JSON | {"If-Match": "1"}}),
        (413, "post /probe", "/probe", {"content": b"x" * 70_000}),
        (422, "post /probe", "/probe", {"content": b"x"}),
        (422, "get /probe", "/probe?limit=101", {}),
        (500, "get /probe/{sample_id}", "/probe/bug", {}),
    ],
)
def test_a_problem_of_the_document_is_one_that_is_answered(
    client: httpx2.Client,
    document: Any,
    status: int,
    operation: str,
    path: str,
    request_parts: dict[str, Any],
) -> None:
    method, documented = operation.split()
    media = document["paths"][documented][method]["responses"][str(status)]["content"]
    body = b'{"content": "x"}'
    made = client.post("/probe", content=body, headers=JSON).headers["Location"]
    sent = {"content": body, "headers": JSON} if method != "get" else {}

    answer = client.request(method, path.replace("/probe/ID", made), **(sent | request_parts))

    example = media["application/problem+json"]["example"]
    assert answer.json() == example | {"request_id": answer.headers["X-Request-ID"]}


async def test_the_problem_of_a_value_that_is_taken_is_one_that_is_answered() -> None:
    answer = await service_error(Request({"type": "http"}), Taken("name"))

    answered = json.loads(bytes(answer.body))
    assert answered == example_of(409, {}) | {"request_id": answered["request_id"]}
    assert "errors" not in example_of(409, {}, "A note has at most 100 comments.")


def test_summaries_are_words(document: Any) -> None:
    operation = document["paths"]["/probe/{sample_id}"]["put"]

    assert operation["summary"] == "Replace sample"
    assert 'Entity tags in quotes, as in `"1"`' in str(operation["parameters"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_bare_address_leads_to_the_page(client: httpx2.Client, method: str) -> None:
    answer = client.request(method, "/")

    assert answer.status_code == 307
    assert urljoin("https://example.com/prefix/", answer.headers["Location"]).endswith("x/docs")
    assert client.request(method, "/", follow_redirects=True).status_code == 200
