"""FastAPI works as its documentation says, inside this service too."""

from collections.abc import Iterator
from typing import Annotated

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
from fastapi.testclient import TestClient
from starlette.middleware.base import RequestResponseEndpoint

from app.kit.features import Feature
from app.kit.http import Caller, CurrentCaller, Data, Route, get_caller
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the service, which does not raise its errors."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


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


def test_a_feature_needs_no_database(settings: Settings) -> None:
    app = create_app(settings, features=[Feature("greetings", "tests.kit.greetings")])

    with TestClient(app) as client:
        assert client.get("/greetings/Ada").json() == "Hello Ada"
