"""WebSockets and streams, on real connections and behind all of the middleware."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.kit.errors import NotFound
from app.main import create_app
from app.settings import Settings
from tests.kit.support import check_problem, serving

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
FRAME = b"\x81\x81\0\0\0\0x"  # A text of one letter, masked with zeros.
left: list[str] = []
go_on = threading.Event()


@pytest.fixture(scope="module")
def address(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = create_app(settings, features=())
    mounted = FastAPI()
    app.mount("/mounted", mounted)
    app.mount("/files", StaticFiles(directory=tmp_path_factory.mktemp("files")))

    @app.websocket("/echo/{name}")
    @mounted.websocket("/echo/{name}")
    async def echo(websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        try:
            while (text := await websocket.receive_text()) != "end":
                await websocket.send_text(f"{name}: {text}")
        except WebSocketDisconnect:
            left.append(name)
        else:
            await websocket.close(1000)

    @app.websocket("/refused")
    async def refuse(websocket: WebSocket) -> None:
        await websocket.close(1008)

    @app.websocket("/broken")
    async def fail(websocket: WebSocket) -> None:
        raise RuntimeError

    @app.websocket("/missing")
    async def miss(websocket: WebSocket) -> None:
        raise NotFound("There is no such room.")

    @app.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    with serving(app) as url:
        yield url


async def ticks() -> AsyncIterator[str]:
    yield "data: first\n\n"
    await asyncio.to_thread(go_on.wait, 10)
    yield "data: second\n\n"


@pytest.mark.parametrize("path", ["/echo/a%20b", "/mounted/echo/a%20b?c=d"])
def test_a_websocket_is_accepted_echoes_and_closes(address: str, path: str) -> None:
    with connect(f"ws{address.removeprefix('http')}{path}") as websocket:
        for text in ("1", "\u00e9" * 70_000):
            websocket.send(text)
            assert websocket.recv() == f"a b: {text}"
        websocket.send("end")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1000


@pytest.mark.parametrize(
    ("path", "status"), [("/refused", 403), ("/broken", 500), ("/missing", 404)]
)
def test_a_handshake_that_is_not_accepted_is_answered_by_a_problem(
    address: str, path: str, status: int
) -> None:
    answer = httpx2.get(address + path, headers={**HANDSHAKE, "X-Request-ID": "mine"})

    assert check_problem(answer, status)["request_id"] == "mine"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_accepted_handshake_has_the_request_id(address: str) -> None:
    place = f"ws{address.removeprefix('http')}/echo/x"
    with connect(place, additional_headers={"X-Request-ID": "mine"}) as websocket:
        assert websocket.response
        assert websocket.response.headers["X-Request-ID"] == "mine"


def test_a_client_that_leaves_is_noticed(address: str) -> None:
    with connect(f"ws{address.removeprefix('http')}/echo/leaver"):
        pass
    for _ in range(100):
        if "leaver" in left:
            return
        httpx2.get(f"{address}/health/live")
    raise AssertionError


def test_frames_may_come_with_the_handshake(address: str) -> None:
    head = "GET /echo/early HTTP/1.1\r\nHost: x\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + b"\r\n" + FRAME)
        received = b""
        while b"early: x" not in received:
            received += connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health/live", 200), ("/echo", 404), ("/files/nothing", 404), ("/mounted/nothing", 404)],
)
def test_where_there_is_no_websocket_the_upgrade_is_ignored(
    address: str, path: str, status: int
) -> None:
    answer = httpx2.get(address + path, headers=HANDSHAKE)

    assert answer.status_code == status


def test_a_request_that_is_no_handshake_gets_no_websocket(address: str) -> None:
    assert httpx2.get(f"{address}/echo/x").status_code == 404
    assert httpx2.post(f"{address}/echo/x", headers=HANDSHAKE, content="x").status_code == 404


def test_a_stream_arrives_as_it_is_sent(address: str) -> None:
    with httpx2.stream("GET", f"{address}/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: first"
        go_on.set()
        assert [line for line in lines if line] == ["data: second"]


def test_at_shutdown_websockets_are_closed_as_a_restart(settings: Settings) -> None:
    app = create_app(settings, features=())

    @app.websocket("/wait")
    async def wait(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()

    with ExitStack() as after:
        with serving(app) as url:
            websocket = after.enter_context(connect(f"ws{url.removeprefix('http')}/wait"))
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1012
