"""What holds for every request: problems, limits, request ids, methods, health and docs."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.kit.support import JSON, MISSING, check_problem, create


@pytest.mark.parametrize(
    ("body", "pointer"),
    [(b"{", ""), (b"{}", "/content"), (b'{"content":" "}', "/content"), (b'{"a/b":1}', "/a~1b")],
)
def test_an_invalid_body_is_422_and_says_where(
    client: httpx2.Client, body: bytes, pointer: str
) -> None:
    for method, path in (("POST", "/probe"), ("PUT", create(client))):
        answer = client.request(method, path, content=body, headers=JSON)
        errors = check_problem(answer, 422)["errors"]
        assert ("body", pointer) in [(error["in"], error["pointer"]) for error in errors]


def test_an_invalid_query_is_422_and_says_where(client: httpx2.Client) -> None:
    (error,) = check_problem(client.get("/probe?limit=101"), 422)["errors"]

    assert (error["in"], error["pointer"]) == ("query", "/limit")


@pytest.mark.parametrize(("version", "status"), [('"1"', 200), ('"2"', 412)])
def test_only_the_current_version_is_changed(
    client: httpx2.Client, version: str, status: int
) -> None:
    answer = client.put(create(client), json={"content": "y"}, headers={"If-Match": version})

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/prob", "/probe/", "/redoc", "/docs/oauth2-redirect"])
def test_an_unknown_path_is_404(client: httpx2.Client, path: str) -> None:
    check_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/probe", "GET, HEAD, OPTIONS, POST"),
        (MISSING, "GET, HEAD, OPTIONS, PUT"),
        ("/health/ready", "GET, HEAD, OPTIONS"),
        ("/docs/assets/swagger-ui.css", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_path_tells_its_methods(client: httpx2.Client, path: str, methods: str) -> None:
    wrong = client.request("TRACE", path)
    check_problem(wrong, 405)

    assert wrong.headers["Allow"] == methods
    assert client.options(path).status_code == 204
    assert client.options(path).headers["Allow"] == methods


@pytest.mark.parametrize("path", ["/probe", "/health/live", "/docs", "/openapi.json", MISSING])
def test_head_answers_as_get_without_the_body(client: httpx2.Client, path: str) -> None:
    get, head = client.get(path), client.head(path)

    assert head.status_code == get.status_code
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.content == b""


def test_a_body_over_64_kib_is_413_also_when_its_length_is_not_announced(
    client: httpx2.Client,
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(65):
            yield b" " * 1024

    check_problem(client.post("/probe", content=b" " * 65_537, headers=JSON), 413)
    check_problem(client.post("/probe", content=chunks(), headers=JSON), 413)
    within = b'{"content":"x"}'.ljust(65_536)
    assert client.post("/probe", content=within, headers=JSON).status_code == 201


def test_every_answer_bears_the_request_id(client: httpx2.Client) -> None:
    for path in ("/probe", "/nothing", MISSING, "/docs"):
        answer = client.get(path, headers={"X-Request-ID": "a-Z.0_9"})
        assert answer.headers["X-Request-ID"] == "a-Z.0_9"


def test_a_service_on_a_migrated_database_is_live_and_ready(client: httpx2.Client) -> None:
    assert client.get("/health/live").json() == {"data": {"status": "live"}}
    ready = client.get("/health/ready").json()["data"]
    assert ready["status"] == "ready"
    assert 0 < ready["latency_ms"] < 2000


def test_the_docs_page_needs_no_other_host(client: httpx2.Client) -> None:
    page = client.get("/docs").text
    links = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page)

    assert "://" not in page
    for link in (first or second for first, second in links):
        assert client.get(link).status_code == 200, link
