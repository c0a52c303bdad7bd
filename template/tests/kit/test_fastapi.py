"""FastAPI works as its documentation says, inside this service too."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import fields
from importlib.metadata import version
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    WebSocket,
)
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.kit.errors import NotFound, ServiceError
from app.kit.features import Feature
from app.kit.http import Caller, CurrentCaller, Data, Route, get_caller
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """The service, without the features that it has."""
    return create_app(settings, features=())


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of it, which does not raise the service's errors."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


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


async def unit() -> str:
    return "metre"


router = APIRouter(prefix="/lengths", route_class=Route)


@router.get("/unit")
async def get_unit(unit: Annotated[str, Depends(unit)]) -> Data[str]:
    return Data(unit)


def test_a_router_is_included_with_a_prefix(app: FastAPI, client: TestClient) -> None:
    app.include_router(router, prefix="/v1")
    app.include_router(router, prefix="/v2")

    assert client.get("/v1/lengths/unit").json() == {"data": "metre"}
    assert client.get("/v2/lengths/unit").json() == {"data": "metre"}
    assert client.delete("/v1/lengths/unit").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.get("/lengths/unit").status_code == 404


def test_a_dependency_is_overridden(app: FastAPI, client: TestClient) -> None:
    app.include_router(router)
    app.dependency_overrides[unit] = lambda: "yard"

    assert client.get("/lengths/unit").json() == {"data": "yard"}
    app.dependency_overrides.clear()
    assert client.get("/lengths/unit").json() == {"data": "metre"}


async def forbid() -> None:
    raise HTTPException(403)


def test_a_router_is_included_with_dependencies(app: FastAPI, client: TestClient) -> None:
    app.include_router(router, dependencies=[Depends(forbid)])

    assert client.get("/lengths/unit").status_code == 403


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


def test_a_background_task_runs_after_the_answer(app: FastAPI, client: TestClient) -> None:
    sent: list[str] = []

    @app.post("/mails", status_code=202)
    async def send_mail(to: str, tasks: BackgroundTasks) -> None:
        tasks.add_task(sent.append, to)

    assert client.post("/mails?to=ada").status_code == 202
    assert sent == ["ada"]


def test_a_websocket_answers(app: FastAPI, client: TestClient) -> None:
    @app.websocket("/echo")
    async def echo(websocket: WebSocket, unit: Annotated[str, Depends(unit)]) -> None:
        await websocket.accept()
        await websocket.send_text(f"{await websocket.receive_text()} {unit}")

    with client.websocket_connect("/echo") as websocket:
        websocket.send_text("1")
        assert websocket.receive_text() == "1 metre"


def test_a_route_sets_status_and_headers(app: FastAPI, client: TestClient) -> None:
    @app.put("/thing")
    async def put_thing(response: Response) -> Data[str]:
        response.status_code = 201
        response.headers["Location"] = "/thing"
        return Data("made")

    answer = client.put("/thing")
    assert (answer.status_code, answer.headers["Location"]) == (201, "/thing")


def test_an_answer_is_streamed(app: FastAPI, client: TestClient) -> None:
    @app.get("/lines")
    async def get_lines() -> StreamingResponse:
        return StreamingResponse(f"{n}\n" for n in range(3))

    assert client.get("/lines").text == "0\n1\n2\n"


def test_a_mounted_application_sends_no_headers(app: FastAPI, client: TestClient) -> None:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"mounted"})

    app.mount("/mounted", mounted)
    answer = client.get("/mounted/")

    assert (answer.status_code, answer.text) == (200, "mounted")
    assert answer.headers["X-Request-ID"]


def test_a_middleware_is_added(app: FastAPI) -> None:
    @app.middleware("http")
    async def sign(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["X-Signed"] = "yes"
        return response

    with TestClient(app) as client:
        answer = client.get("/health/live")
    assert answer.headers["X-Signed"] == "yes"
    assert answer.headers["X-Request-ID"]


def test_a_caller_without_a_token_is_anonymous(app: FastAPI, client: TestClient) -> None:
    @app.get("/me")
    async def get_me(caller: CurrentCaller) -> str:
        return caller.subject

    assert client.get("/me").json() == ""
    app.dependency_overrides[get_caller] = lambda: Caller("ada", frozenset({"read"}))
    assert client.get("/me").json() == "ada"


class OutOfStock(ServiceError):
    status = 409


class NoSuchThing(NotFound):
    pass


class Unlawful(ServiceError):
    status = 451


class Unspecified(ServiceError):
    pass


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (OutOfStock("There is none left."), 409, "There is none left."),
        (NoSuchThing("There is no such thing."), 404, "There is no such thing."),
        (Unlawful("The law forbids it."), 451, "The law forbids it."),
        (Unspecified("It cannot be done."), 400, "It cannot be done."),
        (HTTPException(418, "I am a teapot."), 418, "I am a teapot."),
        (HTTPException(422, "It makes no sense."), 422, "It makes no sense."),
        (HTTPException(460), 460, ""),
        (ZeroDivisionError("secret"), 500, "The service has a bug."),
    ],
)
def test_an_error_is_a_problem_with_its_status(
    app: FastAPI, client: TestClient, error: Exception, status: int, text: str
) -> None:
    @app.get("/failing")
    async def fail() -> None:
        raise error

    answer = client.get("/failing")
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["detail"]) == (status, status, text)
    assert ("errors" in problem) is (status == 422)


def test_an_error_has_a_handler(app: FastAPI) -> None:
    @app.exception_handler(OutOfStock)
    async def sold_out(request: Request, error: Exception) -> Response:
        return PlainTextResponse("sold out", 410)

    @app.get("/failing")
    async def fail() -> None:
        raise OutOfStock

    with TestClient(app) as client:
        assert client.get("/failing").status_code == 410


def test_a_bug_has_a_handler(app: FastAPI, client: TestClient) -> None:
    @app.exception_handler(Exception)
    def apologise(request: Request, error: Exception) -> Response:
        return PlainTextResponse("sorry", 500)

    @app.get("/failing")
    async def fail() -> None:
        raise ZeroDivisionError

    answer = client.get("/failing")
    assert answer.text == "sorry"
    assert answer.headers["X-Request-ID"]


def test_a_feature_needs_no_database(settings: Settings) -> None:
    app = create_app(settings, features=[Feature("greetings", "tests.kit.greetings")])

    with TestClient(app) as client:
        assert client.get("/greetings/Ada").json() == "Hello Ada"


def test_what_fastapi_knows_of_a_route_is_what_the_fast_path_knows(app: FastAPI) -> None:
    """Another version, or another name, is first for the template's decision on the fast path."""
    app.include_router(router)
    route: Any = next(each for each in iter_route_contexts(app.routes) if "unit" in str(each.path))

    assert version("fastapi").startswith("0.165.")
    assert {field.name for field in fields(route._effective_route)} == set(OF_ROUTE.split())
