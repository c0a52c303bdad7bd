"""Requests of every shape: bodies, queries, ids, entity tags, and the document's statuses."""

import json
import re

import httpx2
import pytest

from app.settings import Settings
from tests.kit.probe.service import create_app
from tests.kit.support import JSON, check_problem, create, serving

BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "not JSON": (b"{", ""),
    "UTF-16": ('{"content":"x"}'.encode("utf-16"), ""),
    "not UTF-8": (b'{"content":"\xff"}', ""),
    "null": (b"null", ""),
    "a list": (b"[]", ""),
    "a bomb": (b"[" * 30_000, ""),
    "a bomb of objects": (b'{"content":' * 5_000, ""),
    "a huge number": (b'{"content":' + b"9" * 6_000 + b"}", ""),
    "no content": (b"{}", "/content"),
    "null content": (b'{"content":null}', "/content"),
    "a number": (b'{"content":1}', "/content"),
    "NaN": (b'{"content":NaN}', "/content"),
    "empty": (b'{"content":""}', "/content"),
    "blank": ('{"content":" \u00a0\u2003\u3000\u0085"}'.encode(), "/content"),
    "too long": (json.dumps({"content": "\U0001f600" * 256}).encode(), "/content"),
    "NUL": (b'{"content":"a\\u0000b"}', "/content"),
    "lone surrogate": (b'{"content":"\\ud800"}', "/content"),
    "unknown field": (b'{"content":"x","a/b~c":1}', "/a~1b~0c"),
}


BAD_QUERIES = {
    "limit=0": "/limit",
    "limit=101": "/limit",
    "limit=-1": "/limit",
    "limit=": "/limit",
    "limit=ten": "/limit",
    "limit=1.5": "/limit",
    "limit=1_0": "/limit",
    f"limit={'9' * 5000}": "/limit",
    "cursor=": "/cursor",
    "cursor=x": "/cursor",
    "cursor=01890a5dac96774bbcceb302099a8057": "/cursor",
}


@pytest.mark.parametrize(("body", "pointer"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_an_invalid_body_is_422_and_says_where(
    client: httpx2.Client, body: bytes, pointer: str
) -> None:
    for method, path in (("POST", "/probe"), ("PUT", create(client))):
        answer = client.request(method, path, content=body, headers=JSON)
        (error,) = check_problem(answer, 422)["errors"]
        assert (error["in"], error["pointer"]) == ("body", pointer)
        assert pointer or error["detail"].startswith("The body is not ")


@pytest.mark.parametrize("query", BAD_QUERIES, ids=lambda query: query[:20])
def test_an_invalid_query_is_422_and_says_where(client: httpx2.Client, query: str) -> None:
    (error,) = check_problem(client.get(f"/probe?{query}"), 422)["errors"]

    assert (error["in"], error["pointer"]) == ("query", BAD_QUERIES[query])
    assert not error["detail"].startswith("Value error")


def test_an_unknown_query_parameter_is_ignored(client: httpx2.Client) -> None:
    assert client.get("/probe?limit=1&colour=red").status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_content_type_is_422(client: httpx2.Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    check_problem(client.post("/probe", content=b'{"content":"x"}', headers=headers), 422)


@pytest.mark.parametrize("text", ["x" * 255, "\U0001f600" * 255, "\x1c", "\u200b", "\ufeff"])
def test_what_is_neither_blank_nor_too_long_is_kept(client: httpx2.Client, text: str) -> None:
    assert client.get(create(client, text)).json()["data"]["content"] == text


@pytest.mark.parametrize(
    "sample_id",
    ["x", "1", "%00", "{01890a5d-ac96-774b-bcce-b302099a8057}", "01890a5dac96774bbcceb302099a8057"],
)
def test_a_malformed_id_is_404(client: httpx2.Client, sample_id: str) -> None:
    path = f"/probe/{sample_id}"

    check_problem(client.get(path), 404)
    check_problem(client.put(path, json={}), 404)


MATCHING = ['"1"', '"9", "1"', "*", '"a,b" , "1"', ',"1",']


NOT_MATCHING = ['"2"', 'W/"1"', '"01"', "1", "", '"1', '"99999999999999999999"', "**", '"1" x']


@pytest.mark.parametrize("tags", MATCHING + NOT_MATCHING)
def test_if_match_lets_only_the_version_through(client: httpx2.Client, tags: str) -> None:
    answer = client.put(create(client), json={"content": "x"}, headers={"If-Match": tags})

    assert answer.status_code == (200 if tags in MATCHING else 412)


@pytest.mark.parametrize(
    ("tags", "said"), [("1", "quotes"), ('"1', "quotes"), ('W/"1"', "weak"), ('"2"', "changed")]
)
def test_a_tag_that_cannot_match_is_explained(client: httpx2.Client, tags: str, said: str) -> None:
    answer = client.put(create(client), json={"content": "x"}, headers={"If-Match": tags})

    assert said in check_problem(answer, 412)["detail"]


def test_if_match_may_come_in_several_lines(client: httpx2.Client) -> None:
    lines = [("If-Match", '"8"'), ("If-Match", '"1"')]

    assert client.put(create(client), json={"content": "x"}, headers=lines).status_code == 200


@pytest.mark.parametrize(
    ("tags", "status"), [('"1"', 304), ('W/"1"', 304), ("*", 304), ('"0", "1"', 304), ('"2"', 200)]
)
def test_if_none_match_spares_a_known_version(
    client: httpx2.Client, tags: str, status: int
) -> None:
    answer = client.get(create(client), headers={"If-None-Match": tags})

    assert (answer.status_code, answer.headers["ETag"]) == (status, '"1"')
    assert bool(answer.content) is (status == 200)


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>"])
def test_an_unfit_request_id_is_replaced(client: httpx2.Client, sent: str) -> None:
    made = client.get("/health/live", headers={"X-Request-ID": sent}).headers["X-Request-ID"]

    assert re.fullmatch("[A-Za-z0-9._-]{1,128}", made)
    assert made != sent


def test_operations_are_named_by_their_functions(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    names = {operation["operationId"] for path in paths.values() for operation in path.values()}

    assert names == {
        "get_liveness",
        "get_readiness",
        "list_samples",
        "create_sample",
        "get_sample",
        "replace_sample",
    }


def test_the_document_says_what_can_come(client: httpx2.Client) -> None:
    document = client.get("/openapi.json").json()

    statuses = {
        f"{method} {path}": " ".join(sorted(operation["responses"].keys() - {"401", "403"}))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert statuses == {
        "get /health/live": "200 500",
        "get /health/ready": "200 500 503",
        "get /probe": "200 422 500 503",
        "post /probe": "201 408 413 422 500 503",
        "get /probe/{sample_id}": "200 304 404 500 503",
        "put /probe/{sample_id}": "200 404 408 412 413 422 500 503",
    }
    assert document["components"]["schemas"]["NewSample"]["additionalProperties"] is False


def test_a_service_that_only_reads_answers_writes_with_503(
    settings: Settings, client: httpx2.Client
) -> None:
    path = create(client)
    only_reading = settings.model_copy(update={"read_only": True})
    with (
        serving(create_app(only_reading)) as address,
        httpx2.Client(base_url=address) as reader,
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            problem = reader.request(method, path, json={"content": "x"})
            assert check_problem(problem, 503)["detail"] == "The service only reads for now."
            assert problem.headers["Retry-After"] == "1"
        for read in (path, "/probe", "/health/ready"):
            assert reader.get(read).status_code == 200
