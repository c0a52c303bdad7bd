"""Who is answered: addresses, hosts, preflights, websockets, and what the document says of it."""

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import WebSocket
from starlette.types import Receive, Scope, Send

from app.kit.errors import InvalidSettings
from app.settings import Settings
from tests.kit.authorized import TOKENS, Protected, check_refused, serving
from tests.kit.commands import app, check_line
from tests.kit.probe.service import create_app
from tests.kit.support import JSON, MISSING, check_problem, url
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
    """The service with tokens, and with a page of another origin that may use it."""
    with serving(settings.model_copy(update={"cors_origins": frozenset({APP})})) as service:
        yield service


@pytest.mark.parametrize("path", ["/probe", "/nothing"])
def test_a_preflight_needs_no_token_and_tells_nothing(protected: Protected, path: str) -> None:
    asking = {"Origin": APP, "Access-Control-Request-Method": "GET"}

    answer = protected.client.options(path, headers=asking)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "Allow" not in answer.headers
    assert answer.headers["X-Request-ID"]
    check_refused(protected.client.options(path, headers={"Origin": APP}), 401, "Bearer")


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
