"""Each request needs a token that allows it, of any verifier."""

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import WebSocket
from starlette.types import Receive, Scope, Send

from app.kit.errors import InvalidSettings
from app.kit.http import CurrentCaller
from app.settings import Settings
from tests.kit.authorized import TOKENS, Protected, check_refused, serving
from tests.kit.probe.service import create_app
from tests.kit.support import JSON, MISSING, app, check_line, check_problem, url
from tests.kit.support import serving as service_of

APP = "https://app.example.com"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@asynccontextmanager
async def reached(
    settings: Settings, server: str, client: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the service whose connections have these addresses at their ends."""
    service = create_app(settings)
    async with service.router.lifespan_context(service) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await service({**scope, "state": {**(state or {})}}, receive, send)

        transport = httpx2.ASGITransport(with_state, client=(client, 1))
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{server}") as reaching:
            yield reaching


@pytest.fixture(scope="module")
def protected(settings: Settings) -> Iterator[Protected]:
    with serving(settings.model_copy(update={"cors_origins": frozenset({APP})})) as service:
        yield service


def test_every_operation_but_health_asks_for_a_token(protected: Protected) -> None:
    paths = protected.client.get("/openapi.json").json()["paths"]
    operations = [(method, path) for path, of_path in paths.items() for method in of_path]

    refused = set()
    for method, path in operations:
        if protected.client.request(method, path).status_code == 401:
            refused.add(path)
    assert refused == {path for path in paths if not path.startswith("/health/")}


@pytest.mark.parametrize("path", ["/probe", "/nothing"])
def test_a_preflight_needs_no_token_and_tells_nothing(protected: Protected, path: str) -> None:
    asking = {"Origin": APP, "Access-Control-Request-Method": "GET"}

    answer = protected.client.options(path, headers=asking)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "Allow" not in answer.headers
    assert answer.headers["X-Request-ID"]
    check_refused(protected.client.options(path, headers={"Origin": APP}), 401, "Bearer")


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


def test_401_and_403_come_before_all_other_checks(protected: Protected) -> None:
    wrong = [
        ("POST", "/nothing", b""),
        ("TRACE", "/probe", b""),
        ("PUT", MISSING, b"{"),
        ("POST", "/probe", b" " * 65_537),
    ]
    for method, path, body in wrong:
        answer = protected.client.request(method, path, content=body, headers=JSON)
        check_refused(answer, 401, "Bearer")
        if method != "TRACE":
            answer = protected.request(method, path, "read")
            check_refused(answer, 403, 'Bearer error="insufficient_scope"')
    check_problem(protected.request("POST", "/nothing"), 404)
    check_problem(protected.request("TRACE", "/probe", "read"), 405)


def test_health_and_docs_are_public(protected: Protected) -> None:
    paths = ("/health/live", "/health/ready", "/docs", "/docs/assets/swagger-ui.css")
    for path in (*paths, "/openapi.json"):
        assert protected.client.get(path).status_code == 200, path


def test_the_public_paths_are_a_setting_and_health_is_always_one(settings: Settings) -> None:
    chosen = settings.model_copy(update={"public_paths": "/openapi.json,/probe"})
    with serving(chosen) as service:
        for path in ("/health/live", "/openapi.json", "/probe"):
            assert service.client.get(path).status_code == 200, path
        check_problem(service.client.get(MISSING), 404)
        for path in ("/docs", "/docs/assets/swagger-ui.css"):
            check_refused(service.client.get(path), 401, "Bearer")
            assert service.request("GET", path, "read").status_code == 200


def test_a_token_is_in_no_answer_and_no_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(settings.model_copy(update={"log_level": "DEBUG"})) as service:
        service.tokens["unknown"] = "c3Nob3VsZC1ub3Qtc2hvdw"
        answers = [service.request("POST", "/probe", access) for access in service.tokens]

    visible = caplog.text + "".join(f"{answer.headers}{answer.text}" for answer in answers)
    assert "POST /probe" in visible
    for token in service.tokens.values():
        assert token not in visible


def test_the_document_says_which_operations_need_a_token(protected: Protected) -> None:
    document = protected.client.get("/openapi.json").json()

    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            is_public = path.startswith("/health/")
            assert operation.get("security", []) == ([] if is_public else [{"bearer": []}])
            assert {"401", "403"}.isdisjoint(operation["responses"]) is is_public


def test_the_document_says_how_to_get_a_token_and_what_is_refused(protected: Protected) -> None:
    document = protected.client.get("/openapi.json").json()
    responses = document["paths"]["/probe"]["post"]["responses"]
    refused = {
        "401": protected.client.post("/probe"),
        "403": protected.request("POST", "/probe", "read", content="x"),
    }

    scheme = document["components"]["securitySchemes"]["bearer"]
    assert re.search(r"\b[A-Z]+_[A-Z]+\b", scheme["description"])  # A setting.
    for status, answer in refused.items():
        example = responses[status]["content"]["application/problem+json"]["example"]
        assert answer.json() == example | {"request_id": answer.headers["X-Request-ID"]}


@pytest.mark.parametrize(
    ("server", "client", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.2", "127.0.0.3", 200),
        ("[::1]", "::1", 200),
        ("192.0.2.1", "127.0.0.1", 401),
        ("127.0.0.1", "192.0.2.1", 401),
        ("testserver", "testclient", 200),
    ],
)
async def test_without_a_verifier_only_this_machine_is_answered(
    settings: Settings, server: str, client: str, status: int
) -> None:
    async with reached(settings, server, client) as service:
        assert (await service.get("/probe")).status_code == status
        assert (await service.get("/health/live")).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "notes.invalid", "127.1"])
async def test_without_a_verifier_it_does_not_start_for_other_machines(
    settings: Settings, host: str
) -> None:
    chosen = settings.model_copy(update={"host": host})
    with pytest.raises(InvalidSettings, match="HOST: "):
        async with reached(chosen, "127.0.0.1", "127.0.0.1"):
            raise AssertionError("it has started")


def test_the_command_says_so_in_one_line(settings: Settings) -> None:
    check_line(app("serve", DATABASE_URL=url(settings), HOST="0.0.0.0"), "Error: HOST: ")


async def test_with_a_verifier_it_listens_anywhere(settings: Settings) -> None:
    chosen = settings.model_copy(update={"host": "0.0.0.0"})
    with TOKENS.with_tokens(chosen) as (asking, tokens):
        async with reached(asking, "192.0.2.1", "192.0.2.2") as service:
            assert (await service.get("/probe")).status_code == 401
            headers = {"Authorization": f"Bearer {tokens['read']}"}
            assert (await service.get("/probe", headers=headers)).status_code == 200


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


@pytest.mark.parametrize(
    ("access", "status"), [("", 401), ("none", 401), ("read", 403), ("read+write", 101)]
)
def test_a_websocket_needs_a_token_that_may_write(
    settings: Settings, access: str, status: int
) -> None:
    with TOKENS.with_tokens(settings) as (asking, tokens):
        service = create_app(asking)

        @service.websocket("/hello")
        async def hello(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.close()

        token = f"Bearer {tokens.get(access, access)}"
        with service_of(service) as address:
            headers = UPGRADE | ({"Authorization": token} if access else {})
            answer = httpx2.get(f"{address}/hello", headers=headers)

    assert answer.status_code == status
    if status != 101:
        check_problem(answer, status)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
