"""What clients may do to their connections: send what is no HTTP, send too much, or not at all."""

import asyncio
import inspect
import json
import re
import socket
import threading
import time
from importlib.metadata import version

import httpx2
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.kit.http.connection import Connection
from app.kit.http.limits import MAX_CHUNKED_BYTES, MAX_HEAD_BYTES
from app.kit.http.protocol import BoundedProtocol, Gathering
from app.settings import Settings
from tests.kit.probe.service import create_app
from tests.kit.running import connected
from tests.kit.support import create, serving

GET = b"GET /probe HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /probe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CONTENT = b'{"content":"x"}'
OF_CLASSES = {"__doc__", "__module__", "__firstlineno__", "__static_attributes__"}
TOO_MUCH = MAX_HEAD_BYTES + 1

REFUSED: dict[str, tuple[bytes, int]] = {
    "no HTTP": (b"\x16\x03\x01\x00\r\n\r\n", 400),
    "NUL in a header": (GET + b"X: a\0b\r\n\r\n", 400),
    "a path that is not ASCII": (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
    "another version": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no host": (b"GET /probe HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: y\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 15\r\n" * 2 + b"\r\n" + CONTENT, 400),
    "length and chunks": (POST + b"Content-Length: 15\r\n" + CHUNKED[len(POST) :], 400),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "a long length": (POST + b"Content-Length: " + b"0" * 5000 + b"\r\n\r\n", 400),
    "a huge length": (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
    "a bad chunk": (CHUNKED + b"z\r\n" + CONTENT, 400),
    "a long path": (b"GET /" + b"a" * TOO_MUCH, 414),
    "a long header": (GET + b"X: " + b"a" * TOO_MUCH, 431),
    "many headers": (GET + b"a:\r\n" * (TOO_MUCH // 4), 431),
    "a long body": (POST + b"Content-Length: 65537\r\n\r\n", 413),
    "a long body of one that leaves": (
        POST + b"Connection: close\r\nContent-Length: 65537\r\n\r\n",
        413,
    ),
    "a long chunk extension": (CHUNKED + b"f;" + b"a" * MAX_CHUNKED_BYTES, 413),
    "trailers without end": (
        CHUNKED + b"f\r\n" + CONTENT + b"\r\n0\r\n" + b"a: b\r\n" * (MAX_CHUNKED_BYTES // 6),
        413,
    ),
}

TESTED = {"httptools": "0.9.", "uvicorn": "0.54"}
OF_UVICORN = {
    *("app", "app_state", "config", "cycle", "transport"),
    *("on_response_complete", "send_400_response", "shutdown"),
}


class Hurried(BoundedProtocol):
    """Does not wait long for its clients."""

    STALL_SECONDS = 0.1

    ended = threading.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set()


def answered(address: str, *sent: bytes) -> bytes:
    """Return all that the service answers until it closes the connection."""
    with connected(address, *sent) as connection:
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def check_refusal(answer: bytes, status: int) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = head.lower().split(b"\r\n")
    problem = json.loads(body)
    assert headers[0].startswith(b"http/1.1 %d " % status)
    assert b"content-type: application/problem+json" in headers
    assert b"x-request-id: " + problem["request_id"].encode() in headers
    assert b"connection: close" in headers
    assert b"x-content-type-options: nosniff" in headers
    assert problem["status"] == status


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_malformed_or_too_much_is_refused(
    service: str, client: httpx2.Client, sent: bytes, status: int
) -> None:
    check_refusal(answered(service, sent), status)

    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "rest",
    [b"a:\r\n" * TOO_MUCH, b"Host: y\r\n\r\n\r\nX-Request-ID: other\r\n", b"a: \r\n b\r\n\r\n"],
)
def test_a_refusal_bears_the_id_of_the_request(service: str, rest: bytes) -> None:
    head = GET + b"X-Request-ID: mine\r\n"

    assert b"x-request-id: mine\r\n" in answered(service, head + rest)


@pytest.mark.parametrize(
    "rest", [b"a:\r\n" * TOO_MUCH, b"Host: y\r\n\r\n", b"Content-Length: z\r\n\r\n"]
)
def test_a_refused_head_request_gets_no_body(service: str, rest: bytes) -> None:
    assert answered(service, GET.replace(b"GET", b"HEAD") + rest).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("rest", "statuses"),
    [
        (b"\x16\x03\x01\r\n\r\n", [400]),
        (GET, [400]),
        (POST + b"Content-Length: 15\r\n\r\n" + CONTENT[:-1], [400]),
        (CHUNKED + b"f\r\n" + CONTENT, [400]),
        (GET + b"a:\r\n" * TOO_MUCH, [431]),
        (b"", []),
    ],
)
def test_a_whole_request_is_answered_whatever_comes_after_it(
    service: str, rest: bytes, statuses: list[int]
) -> None:
    whole = POST + b"Content-Length: 15\r\n\r\n" + CONTENT
    with connected(service, whole * 2 + rest) as connection:
        connection.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))

    answered = [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answers)]
    assert answered == [201, 201, *statuses]


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0", "h2c, websocket"])
def test_an_upgrade_is_ignored_and_the_body_is_a_body(
    service: str, client: httpx2.Client, protocol: str
) -> None:
    kept = create(client)
    body = f"DELETE {kept} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    upgrade = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\n".encode()

    head = POST + upgrade + b"Content-Length: %d\r\n\r\n" % len(body)
    with connected(service, head) as connection:
        time.sleep(0.05)  # So that the body comes apart from the head.
        connection.sendall(body + GET + b"Connection: close\r\n\r\n")
        answers = b"".join(iter(lambda: connection.recv(65536), b""))

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"422", b"200"]
    assert client.get(kept).status_code == 200


def test_space_around_a_header_is_not_part_of_it(service: str) -> None:
    spaced = GET + b"Connection: close\r\nX-Request-ID: \t mine \t\r\n\r\n"

    assert b"x-request-id: mine\r\n" in answered(service, spaced)


@pytest.mark.parametrize("size", [4096, MAX_HEAD_BYTES - 200])
def test_a_head_within_the_limit_is_not(client: httpx2.Client, size: int) -> None:
    assert client.get("/probe", headers={"X": "a" * size}).status_code == 200


def test_a_body_in_chunks_of_one_byte_is_read(service: str) -> None:
    blanks = b"1\r\n \r\n" * (64 * 1024 - len(CONTENT))
    body = blanks + b"f\r\n" + CONTENT + b"\r\n0\r\n\r\n"

    request = CHUNKED.replace(b"Host: x", b"Host: x\r\nConnection: close")
    assert answered(service, request + body).startswith(b"HTTP/1.1 201 ")


def test_trailers_say_nothing(service: str) -> None:
    head = CHUNKED.replace(b"Host: x", b"Host: x\r\nConnection: close")
    trailers = b"If-Match: *\r\nX-Request-ID: from-a-trailer\r\n\r\n"

    answer = answered(service, head + b"f\r\n" + CONTENT + b"\r\n0\r\n" + trailers)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b"from-a-trailer" not in answer


def test_a_client_that_stops_sending_is_not_waited_for(settings: Settings) -> None:
    unread = b"Content-Length: 9\r\n\r\n"
    with serving(create_app(settings), Hurried, timeout_keep_alive=1) as address:
        check_refusal(answered(address, GET[:9]), 408)
        check_refusal(answered(address, GET), 408)
        assert answered(address) == b""
        for rest in (unread, unread + b"half"):
            check_refusal(answered(address, GET + rest), 408)
        assert answered(address, GET + b"\r\n", b"\r\n").startswith(b"HTTP/1.1 200 ")
        metrics = httpx2.get(f"{address}/metrics").text

    refused = 'method="_OTHER",http_response_status_code="408",http_route="other"'
    assert f"duration_seconds_count{{http_request_{refused}}} 4.0" in metrics


def test_a_client_that_does_not_read_is_not_waited_for(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    service = create_app(settings)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Response(b"x" * 2**25)(scope, receive, send)
        else:
            await service(scope, receive, send)

    Hurried.ended.clear()
    with serving(large, Hurried) as address, connected(address, (GET + b"\r\n") * 3):
        assert Hurried.ended.wait(20)

    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_malformed_chunks_are_400_also_byte_by_byte(service: str) -> None:
    sent = (CHUNKED + b"f\r\n" + CONTENT + b"z\r\n").replace(
        b"Host: x", b"Host: x\r\nX-Request-ID: me"
    )
    with connected(service) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            connection.sendall(bytes([byte]))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    check_refusal(answer, 400)
    assert b"x-request-id: me\r\n" in answer


def test_a_body_is_sent_once_the_service_says_so(service: str) -> None:
    head = POST + b"Connection: close\r\nExpect: 100-Continue\r\nContent-Length: 15\r\n\r\n"
    with connected(service, head) as connection:
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(CONTENT)
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize(
    "request_", [GET + b"\r\n", POST + b"Content-Length: 15\r\n\r\n" + CONTENT]
)
def test_a_body_that_has_come_is_not_asked_for(service: str, request_: bytes) -> None:
    expecting = request_.replace(b"Host", b"Expect: 100-continue\r\nHost")
    with connected(service, expecting) as connection:
        answers = connection.recv(65536)
        connection.sendall(GET + b"Connection: close\r\n\r\n")
        while part := connection.recv(65536):
            answers += part

    assert answers.count(b"HTTP/1.1 ") == 2


def test_one_request_too_many_is_503_at_once(settings: Settings) -> None:
    page = "https://app.example.com"
    limits = {"max_concurrent_requests": 1, "cors_origins": frozenset({page})}
    few = settings.model_copy(update=limits)
    service, begun, end = create_app(few), threading.Event(), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            begun.set()
            await asyncio.to_thread(end.wait, 10)
        await service(scope, receive, send)

    waiting = POST + b"Content-Length: 15\r\n\r\n"
    with (
        serving(slow) as address,
        httpx2.Client(base_url=address) as client,
        connected(address, waiting + CONTENT) as first,
        connected(address, waiting) as slower,
    ):
        assert begun.wait(10)
        refused = client.get("/probe", headers={"Origin": page})
        assert refused.headers["Access-Control-Allow-Origin"] == page
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.headers["Content-Type"] == "application/problem+json"
        for path in ("/health/live", "/health/ready"):
            assert client.get(path).status_code == 200
        assert 'app_failures_total{kind="overload"} 1.0' in client.get("/metrics").text
        end.set()
        assert first.recv(65536).startswith(b"HTTP/1.1 201 ")
        assert client.get("/probe").status_code == 200  # One that is incomplete has no slot.
        slower.sendall(CONTENT)
        assert slower.recv(65536).startswith(b"HTTP/1.1 201 ")


class _Transport:
    def __init__(self) -> None:
        self.done: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append(b"closed")


async def test_a_head_is_sent_with_its_body_or_soon() -> None:
    whole, late, closed = _Transport(), _Transport(), _Transport()
    for transport, rest in ((whole, [b"body", b"more"]), (late, []), (closed, [])):
        gathering = Gathering(transport, transport.close)
        gathering.write(b"HTTP/1.1 200 OK")
        for data in rest:
            gathering.write(data)
    gathering.close()
    await asyncio.sleep(0)

    assert whole.done == [b"HTTP/1.1 200 OKbody", b"more"]
    assert late.done == [b"HTTP/1.1 200 OK"]
    assert closed.done == [b"HTTP/1.1 200 OK", b"closed"]


def test_what_is_used_of_uvicorn_is_what_was_decided() -> None:
    """Another version, or another name, is first for the template's decision on connections."""
    code = inspect.getsource(Connection) + inspect.getsource(BoundedProtocol)
    names = set(re.findall(r"(?:self|super\(\))\.(cycle\.\w+|\w+)", code))
    defined = {*vars(Connection), *vars(BoundedProtocol)}
    own = {*defined, "_reply", "_requests", "_timer"} - {*vars(HttpToolsProtocol)}
    overridden = defined & {*vars(HttpToolsProtocol)}
    of_asyncio = {name for name in dir(asyncio.Protocol) if not name.startswith("__")}

    assert {name: version(name)[:4] for name in ("httptools", "uvicorn")} == TESTED
    assert (names | overridden) - own - of_asyncio - OF_CLASSES == OF_UVICORN
