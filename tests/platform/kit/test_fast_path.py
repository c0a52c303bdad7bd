"""The fast path answers as FastAPI does, and takes only requests that it knows."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import AfterValidator, BaseModel
from starlette import routing
from starlette.middleware import Middleware
from starlette.responses import StreamingResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from app.kit.application import Application
from app.kit.errors import NotFound
from app.kit.http import CurrentCaller, Data, IfNoneMatch, Limit, Route
from app.kit.http.fast_path import FastPath
from app.settings import Settings
from tests.kit.probe.service import create_app
from tests.kit.support import JSON, MISSING

closed: list[str] = []


class Thing(BaseModel):
    name: str
    size: int | None = None


class ThingRoute(Route):
    async def must_exist(self, request: Request) -> None:
        if request.path_params.get("name") == "missing":
            raise NotFound("There is no such thing.")


async def names(request: Request) -> list[str]:
    return [request.path_params["name"], request.headers.get("x-name", "")]


async def closing() -> AsyncIterator[str]:
    yield "open"
    closed.append("closed")


def at_least_two(name: str) -> str:
    if len(name) < 2:
        raise HTTPException(409, "The name is too short.")
    return name


async def raise_another(request: Request, error: Exception) -> Response:
    raise HTTPException(409, "There are things.")


Names = Annotated[list[str], Depends(names)]
router = APIRouter(prefix="/things", route_class=ThingRoute)


@router.get("/{name}")
async def read(
    name: str,
    names: Names,
    response: Response,
    caller: CurrentCaller,
    limit: Limit = 20,
    tag: Annotated[Sequence[str], Query()] = (),
    mode: Annotated[Literal["a", "b"] | None, Header(alias="X-Mode")] = None,
    if_none_match: IfNoneMatch = (),
) -> Data[Any]:
    response.headers["X-Name"] = name
    response.set_cookie("name", name)
    return Data([names, limit, list(tag), mode, list(if_none_match), caller.subject])


@router.put("/{name}")
async def put(name: str, body: Thing, response: Response, request: Request) -> Thing:
    if body.size:
        response.status_code = 201
    assert await request.json() == body.model_dump(exclude_unset=True)
    return body


@router.post("/{name}/{what}", response_model=Thing, response_model_exclude_none=True)
async def post(name: str, what: str, body: Annotated[Thing, Body()]) -> Any:
    match what:
        case "teapot":
            raise HTTPException(418, "I am a teapot.", {"X-Tea": "yes"})
        case "invalid":
            raise RequestValidationError([{"loc": ("body", "x"), "msg": "no", "type": "x"}])
        case "bug":
            raise ZeroDivisionError
        case "lookup":
            raise LookupError
        case "unlike":
            return Data("not a thing")
        case "text":
            return PlainTextResponse(name, 202)
    return body


@router.put("/{name}/received")
async def received(name: str, body: Thing, request: Request) -> list[Any]:
    chunks = [chunk for _ in range(2) async for chunk in request.stream()]
    return [await request.is_disconnected(), await request.body(), chunks, body]


@router.get("/{name}/checked")
async def checked(name: Annotated[str, AfterValidator(at_least_two)]) -> str:
    return name


@router.post("/{name}")
async def many(name: str, first: Annotated[int, Body()], second: Annotated[int, Body()]) -> int:
    return first + second


@router.patch("/{name}")
async def embedded(name: str, body: Annotated[Thing | None, Body(embed=True)] = None) -> Any:
    return body


@router.get("/{name}/cookie")
async def cookie(name: str, session: Annotated[str, Cookie()] = "") -> str:
    return session


@router.get("/{name}/needed")
async def needed(name: str, q: str, start: Annotated[int, Query(alias="from")] = 0) -> str:
    return f"{q} {start}"


@router.get("/{name}/filter")
async def filtered(name: str, thing: Annotated[Thing, Query()]) -> Thing:
    return thing


@router.get("/{name}/sync")
def sync(name: str) -> str:
    return name


@router.get("/{name}/closing")
async def with_closing(name: str, state: Annotated[str, Depends(closing)]) -> str:
    return state


@router.get("/{name}/later")
async def later(name: str, tasks: BackgroundTasks) -> str:
    tasks.add_task(closed.append, name)
    return name


@router.get("/{name}/json", response_class=JSONResponse)
async def as_json(name: str) -> dict[str, str]:
    return {"name": name}


@router.get("/{name}/stream")
async def stream(name: str) -> StreamingResponse:
    return StreamingResponse(iter([name, name]))


@router.get("/{name}/number/{number:int}")
async def number(name: str, number: int) -> int:
    return number


@router.delete("/{name}", status_code=204, response_class=Response)
async def delete(name: str) -> None:
    pass


def watch(app: FastAPI) -> list[str]:
    """Have the paths of requests noted that the fast path leaves to FastAPI."""
    reached, fastapi = [], app.router.app

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope.get("path", ""))
        await fastapi(scope, receive, send)

    app.router.middleware_stack = note
    return reached


def fast(**options: Any) -> Application:
    return Application(middleware=[Middleware(FastPath)], **options)


@dataclass
class Both:
    """Clients of a service with the fast path, and of one without it."""

    fast: TestClient
    plain: TestClient
    reached: list[str]


@pytest.fixture(scope="module")
def both(settings: Settings, samples: None) -> Iterator[Both]:
    apps = [create_app(settings), create_app(settings)]
    for app in apps:
        app.include_router(router)
        app.add_exception_handler(LookupError, raise_another)
    reached, innermost = watch(apps[0]), apps[1].user_middleware.pop()
    assert "FastPath" in repr(innermost)
    options: Any = {"raise_server_exceptions": False, "headers": {"X-Request-ID": "same"}}
    with TestClient(apps[0], **options) as fast, TestClient(apps[1], **options) as plain:
        yield Both(fast, plain, reached)


def seen(client: TestClient, *request: Any, **options: Any) -> tuple[int, Any, bytes, list[str]]:
    closed.clear()
    answer = client.request(*request, **options)
    client.cookies.clear()
    return answer.status_code, answer.headers.raw, answer.content, list(closed)


THING = '{"name": "a", "size": 1}'
ORDINARY = [
    ("GET", "/things/a", {}, ""),
    ("GET", "/things/a%20%C3%A9?limit=7&tag=x&tag=y&limit=8&unknown=", {"X-Name": "ada"}, ""),
    ("GET", "/things/a", {"X-Mode": "b", "If-None-Match": '"1"', "if-none-match": '"2"'}, ""),
    ("HEAD", "/things/a?tag=", {}, ""),
    ("PUT", "/things/a", JSON, THING),
    ("PUT", "/things/a", JSON, '{"name": "\\u00e9"}'),
    ("POST", "/things/a/b", JSON, THING),
    ("POST", "/things/a/b", JSON, '{"name": "a", "size": null}'),
    *(("POST", f"/things/a/{what}", JSON, THING) for what in ("teapot", "invalid", "bug", "text")),
    ("POST", "/things/a/lookup", JSON, THING),
    ("PUT", "/things/a/received", JSON, THING),
    ("GET", "/things/ab/checked", {}, ""),
    ("POST", "/things/missing/invalid", JSON, THING),
    ("POST", "/things/a/unlike", JSON, THING),
    ("GET", "/things/a/needed?q=1&from=2", {}, ""),
    ("GET", "/probe?limit=1", {}, ""),
    ("GET", MISSING, {}, ""),
]
OTHERS = [
    ("GET", "/things/a?limit=0", {}, ""),
    ("GET", "/things/missing?limit=x&limit=", {}, ""),
    ("GET", "/things/a", {"X-Mode": "c"}, ""),
    ("GET", "/things/a/needed", {}, ""),
    ("GET", "/things/a/checked", {}, ""),
    ("GET", "/things/a/filter?name=b&size=3", {}, ""),
    ("GET", "/things/a/cookie", {"Cookie": "session=s"}, ""),
    *(("GET", f"/things/a/{what}", {}, "") for what in ("sync", "closing", "later", "json")),
    ("GET", "/things/a/stream", {}, ""),
    ("GET", "/things/a/number/7", {}, ""),
    ("GET", "/things/a/number/x", {}, ""),
    ("PUT", "/things/a", JSON, "{"),
    ("PUT", "/things/a", JSON, ""),
    ("PUT", "/things/a", JSON, "[" * 30_000),
    ("PUT", "/things/a", JSON, '{"size": 1}'),
    ("PUT", "/things/missing", JSON, "null"),
    ("PUT", "/things/a", {"Content-Type": "application/json; charset=utf-8"}, THING),
    ("PUT", "/things/a", {"Content-Type": "application/vnd.a+json"}, THING),
    ("PUT", "/things/a", {"Content-Type": "text/plain"}, THING),
    ("PUT", "/things/a", {}, THING),
    ("POST", "/things/a", JSON, '{"first": 1, "second": 2}'),
    ("PATCH", "/things/a", JSON, f'{{"body": {THING}}}'),
    ("PATCH", "/things/a", {}, ""),
    ("DELETE", "/things/a", {}, ""),
    ("DELETE", "/things/a/b", {}, ""),
    ("OPTIONS", "/things/a", {}, ""),
    ("GET", "/things/", {}, ""),
    ("GET", "/things/a/b/c/d", {}, ""),
    ("GET", "/health/live", {}, ""),
    ("POST", "/probe", JSON, '{"content": ""}'),
    ("GET", "/probe/1", {}, ""),
    ("GET", "/probe/bug", {}, ""),
]


@pytest.mark.parametrize(("method", "path", "headers", "body"), [*ORDINARY, *OTHERS])
def test_answers_are_the_same_byte_for_byte(
    both: Both, method: str, path: str, headers: dict[str, str], body: str
) -> None:
    both.reached.clear()
    fast, plain = (
        seen(client, method, path, headers=headers, content=body or None)
        for client in (both.fast, both.plain)
    )

    assert fast == plain
    assert bool(both.reached) is ((method, path, headers, body) in OTHERS)


def forbid() -> None:
    raise HTTPException(403)


async def forbid_at_once(request: Request) -> None:
    raise HTTPException(403)


@pytest.mark.parametrize("check", [forbid, forbid_at_once])
@pytest.mark.parametrize("level", ["inclusion", "outer", "application"])
def test_a_dependency_that_is_added_is_called(level: str, check: Any) -> None:
    checks, none = [Depends(check)], list[Any]()
    app = fast(dependencies=checks if level == "application" else none)
    outer = APIRouter(prefix="/v1", dependencies=checks if level == "outer" else none)
    outer.include_router(router, dependencies=checks if level == "inclusion" else none)
    app.include_router(outer)
    app.include_router(router, prefix="/free")
    client = TestClient(app)

    assert client.get("/v1/things/a").status_code == 403
    assert client.post("/v1/things/a/b", json={"name": "a"}).status_code == 403
    assert client.get("/free/things/a").status_code == (403 if level == "application" else 200)


def test_an_override_counts_also_later(settings: Settings) -> None:
    app = fast()
    app.include_router(router)
    client = TestClient(app)
    before = client.get("/things/a").json()
    app.dependency_overrides[names] = lambda: "another"

    assert (before["data"][0], client.get("/things/a").json()["data"][0]) == (["a", ""], "another")


async def own(request: Request) -> Response:
    return PlainTextResponse("own")


class OwnRouter(APIRouter):
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("own")(scope, receive, send)


class AnyPath(routing.Route):
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return Match.FULL, {"endpoint": self.endpoint}


class OwnHandler(ThingRoute):
    def get_route_handler(self) -> Any:
        return own


def included(kind: type[APIRouter], route_class: type[APIRoute]) -> FastAPI:
    app, own_router = fast(), kind(prefix="/things", route_class=route_class)
    own_router.get("/{name}")(read)
    app.include_router(own_router)
    return app


def before(add: Callable[[FastAPI], object]) -> FastAPI:
    app = fast()
    add(app)
    app.include_router(router)
    return app


def wrapped() -> FastAPI:
    app, route = fast(), ThingRoute("/things/{name}", read)
    route.app = PlainTextResponse("own")
    app.router.routes.append(route)
    return app


def appended() -> FastAPI:
    app = fast()
    app.include_router(router)
    app.user_middleware.append(Middleware(lambda app: PlainTextResponse("own")))
    return app


OWN: dict[str, Callable[[], FastAPI]] = {
    "an earlier route": lambda: before(lambda app: app.get("/things/{name}")(own)),
    "an earlier mount": lambda: before(lambda app: app.mount("/things", PlainTextResponse("own"))),
    "an earlier host": lambda: before(lambda app: app.host("testserver", PlainTextResponse("own"))),
    "own matching": lambda: before(lambda app: app.router.routes.append(AnyPath("/", own))),
    "an own router": lambda: included(OwnRouter, ThingRoute),
    "a middleware within": appended,
    "a wrapped route": wrapped,
    "an own handler": lambda: included(APIRouter, OwnHandler),
}


@pytest.mark.parametrize("case", OWN)
def test_what_an_owner_does_otherwise_is_done(case: str) -> None:
    assert TestClient(OWN[case]()).get("/things/a").text == "own"


def test_a_route_that_is_put_first_later_wins() -> None:
    app = fast()
    app.include_router(router)
    client = TestClient(app)
    assert client.get("/things/a").status_code == 200
    app.router.routes.insert(0, routing.Route("/things/{name}", own))

    assert client.get("/things/a").text == "own"


@pytest.mark.parametrize("layers", [[Middleware(FastPath)], []])
def test_urls_are_those_of_the_outermost_application(layers: list[Middleware]) -> None:
    inner, outer = Application(middleware=layers), FastAPI()

    async def where(request: Request) -> str:
        return request.url_for("outermost").path

    included = APIRouter(route_class=Route)
    included.get("/where")(where)
    inner.include_router(included)
    outer.mount("/inner", inner)
    outer.get("/", name="outermost")(own)

    assert TestClient(outer).get("/inner/where").json() == "/"
