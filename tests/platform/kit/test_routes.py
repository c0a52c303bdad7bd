"""What FastAPI knows of a route, and what its applications may do besides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from tests.kit.probe.service import PROBE

OF_ROUTE = """
    _embed_body_fields app body_field callbacks dependant dependencies dependency_overrides_provider
    deprecated description endpoint frontend_prefix generate_unique_id_function include_in_schema
    is_json_stream is_sse_stream max_body_size methods name openapi_extra operation_id
    original_route param_convertors path path_format path_regex response_class
    response_description response_field response_fields response_model response_model_by_alias
    response_model_exclude response_model_exclude_defaults response_model_exclude_none
    response_model_exclude_unset response_model_include responses starlette_route status_code
    stream_item_field stream_item_type strict_content_type summary tags unique_id
"""


def test_what_fastapi_knows_of_a_route_is_what_the_fast_path_knows(settings: Settings) -> None:
    """Another version, or another name, is first for the template's decision on the fast path."""
    app = create_app(settings, features=[PROBE])
    route: Any = next(each for each in iter_route_contexts(app.routes) if each.path == "/probe")

    assert version("fastapi").startswith("0.165.")
    assert {field.name for field in fields(route._effective_route)} == set(OF_ROUTE.split())


def test_a_mounted_application_sends_no_headers(app: FastAPI) -> None:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"mounted"})

    app.mount("/mounted", mounted)
    with TestClient(app) as client:
        answer = client.get("/mounted/")

    assert (answer.status_code, answer.text) == (200, "mounted")
    assert answer.headers["X-Request-ID"]


def test_a_router_has_a_lifespan(app: FastAPI) -> None:
    happened = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        happened.append("begin")
        yield
        happened.append("end")

    app.include_router(APIRouter(lifespan=lifespan))
    with TestClient(app):
        assert happened == ["begin"]
    assert happened == ["begin", "end"]


def test_an_answer_is_streamed(app: FastAPI) -> None:
    @app.get("/lines")
    async def get_lines() -> StreamingResponse:
        return StreamingResponse(f"{n}\n" for n in range(3))

    with TestClient(app) as client:
        assert client.get("/lines").text == "0\n1\n2\n"
