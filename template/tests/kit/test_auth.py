"""Each request needs a token that allows it, of any verifier."""

from collections.abc import Iterator

import httpx2
import pytest

from app.kit.http import CurrentCaller
from app.settings import Settings
from tests.kit.authorized import TOKENS, Protected, check_refused, serving
from tests.kit.probe.service import create_app
from tests.kit.support import serving as service_of


@pytest.fixture(scope="module")
def protected(settings: Settings) -> Iterator[Protected]:
    with serving(settings) as service:
        yield service


def test_every_operation_but_health_asks_for_a_token(protected: Protected) -> None:
    paths = protected.client.get("/openapi.json").json()["paths"]
    operations = [(method, path) for path, of_path in paths.items() for method in of_path]

    refused = set()
    for method, path in operations:
        if protected.client.request(method, path).status_code == 401:
            refused.add(path)
    assert refused == {path for path in paths if not path.startswith("/health/")}


@pytest.mark.parametrize(
    ("sent", "challenge"),
    [
        ([], "Bearer"),
        ([b"Basic dXNlcjpwYXNz"], "Bearer"),
        ([b"Bearer dXNlcjpwYXNz"], 'Bearer error="invalid_token"'),
    ],
    ids=["none", "another scheme", "unknown"],
)
def test_without_a_valid_token_it_is_401(
    protected: Protected, sent: list[bytes], challenge: str
) -> None:
    headers = [(b"Authorization", value) for value in sent]

    for method in ("GET", "POST"):
        answer = protected.client.request(method, "/probe", headers=headers)
        check_refused(answer, 401, challenge)


def test_a_token_for_all_reads_and_writes(protected: Protected) -> None:
    path = protected.request("POST", "/probe", content="x").headers["Location"]

    assert protected.request("GET", path).status_code == 200
    assert protected.request("PUT", path, content="y").status_code == 200


def test_a_read_only_token_cannot_write(protected: Protected) -> None:
    path = protected.request("POST", "/probe", content="x").headers["Location"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = protected.request(method, path, "read", content="y")
        check_refused(answer, 403, 'Bearer error="insufficient_scope"')
    assert protected.request("GET", path, "read").status_code == 200
    assert protected.request("HEAD", path, "read").status_code == 200
    assert protected.request("OPTIONS", path, "read").status_code == 204


def test_a_token_for_writing_alone_cannot_read(protected: Protected) -> None:
    written = protected.request("POST", "/probe", "write", content="x")

    assert written.status_code == 201
    for path in ("/probe", written.headers["Location"]):
        answer = protected.request("GET", path, "write")
        check_refused(answer, 403, 'Bearer error="insufficient_scope"')


def test_health_and_docs_are_public(protected: Protected) -> None:
    paths = ("/health/live", "/health/ready", "/docs", "/docs/assets/swagger-ui.css")
    for path in (*paths, "/openapi.json"):
        assert protected.client.get(path).status_code == 200, path


def test_the_document_says_which_operations_need_a_token(protected: Protected) -> None:
    document = protected.client.get("/openapi.json").json()

    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            is_public = path.startswith("/health/")
            assert operation.get("security", []) == ([] if is_public else [{"bearer": []}])
            assert {"401", "403"}.isdisjoint(operation["responses"]) is is_public


def test_a_route_knows_its_caller(settings: Settings) -> None:
    with TOKENS.with_tokens(settings) as (asking, tokens):
        service = create_app(asking)

        @service.get("/me")
        async def get_me(caller: CurrentCaller) -> list[str]:
            return [caller.subject, *sorted(caller.access)]

        with service_of(service) as address:
            for access, token in tokens.items():
                answer = httpx2.get(f"{address}/me", headers={"Authorization": f"Bearer {token}"})
                if "read" in access:
                    assert answer.json() == ["ada", *access.split("+")]
