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


def test_every_operation_but_health_asks_for_a_token_and_says_so(protected: Protected) -> None:
    document = protected.client.get("/openapi.json").json()

    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        is_public = path.startswith("/health/")
        for method, operation in operations.items():
            answer = protected.client.request(method, path)
            assert (answer.status_code != 401) is is_public
            assert operation.get("security", []) == ([] if is_public else [{"bearer": []}])
            assert {"401", "403"}.isdisjoint(operation["responses"]) is is_public


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


@pytest.mark.parametrize("access", ["read+write", "read", "write"])
def test_a_token_allows_what_it_says(protected: Protected, access: str) -> None:
    path = protected.request("POST", "/probe", content="x").headers["Location"]
    allowed: dict[str, int] = {}
    if "read" in access:
        allowed |= {"GET": 200, "HEAD": 200, "OPTIONS": 204}
    if "write" in access:
        allowed |= {"PUT": 200, "POST": 405, "PATCH": 405, "DELETE": 405}

    for method in {*allowed, "GET", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}:
        answer = protected.request(method, path, access, content="y")
        if method in allowed:
            assert answer.status_code == allowed[method]
        else:
            check_refused(answer, 403, 'Bearer error="insufficient_scope"')


def test_health_and_docs_are_public(protected: Protected) -> None:
    paths = ("/health/live", "/health/ready", "/docs", "/docs/assets/swagger-ui.css")
    for path in (*paths, "/openapi.json"):
        assert protected.client.get(path).status_code == 200, path


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
