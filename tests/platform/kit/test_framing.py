"""Which requests a stream of bytes contains: those that h11 finds in it, however it arrives."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import h11
import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from app.kit.http.limits import Slots
from app.kit.metrics import Metrics
from tests.kit.fuzzing import EXAMPLES
from tests.kit.support import serving

Request = tuple[str, str, str]
"""A method, a target, and a body."""

HIDDEN = b"DELETE /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
HANDSHAKE = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADES = [
    b"",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + HANDSHAKE,
    b"UPGRADE: \t TLS/1.0 \t\r\nconnection: x\r\nconnection: UPGRADE\r\n",
    b"Connection: keep-alive, upgrade\r\nUpgrade: h2c, websocket\r\nUpgrade: foo/2\r\n",
    b"Connection: upgrade\r\nUpgrade:\r\n",
    b"Connection: upgrade\r\n",
    b"Upgrade: h2c\r\n",
]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the request was."""
    if scope["type"] == "lifespan":
        scope["state"] |= {
            "metrics": Metrics(),
            "slots": Slots(100),
            "takes_websocket": lambda path: False,
            "cors": lambda origin: {},
        }
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    seen = json.dumps([scope["method"], scope["path"], body.decode("latin-1")]).encode()
    headers = [(b"content-length", b"0"), (b"x-seen", seen)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with serving(echo) as url:
        host, port = url.removeprefix("http://").split(":")
        yield host, int(port)


def seen(address: tuple[str, int], *parts: bytes) -> list[Request]:
    """Return the requests that the service sees in bytes that arrive in parts."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # The service may have closed it already.
            for part in parts:
                connection.sendall(part)
                time.sleep(0.001)
            connection.shutdown(socket.SHUT_WR)
        answers = b""
        with suppress(ConnectionResetError):
            while answer := connection.recv(65536):
                answers += answer
    return [tuple(json.loads(line)) for line in re.findall(rb"x-seen: (.*)\r\n", answers)]


def expected(stream: bytes) -> list[Request]:
    """Return the requests that h11 sees in them."""
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(stream)
    found: list[Request] = []
    while isinstance(request := reader.next_event(), h11.Request):
        body = b""
        while isinstance(event := reader.next_event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        found.append((request.method.decode(), request.target.decode(), body.decode("latin-1")))
        reader.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        reader.send(h11.EndOfMessage())
        reader.start_next_cycle()
    return found


def chunked(body: bytes, size: int) -> bytes:
    parts = (body[at : at + size] for at in range(0, len(body), size))
    chunks = b"".join(b"%x;of=it\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-Trailer: x\r\n\r\n"


def request(method: bytes, upgrade: bytes, body: bytes, size: int, padding: int) -> bytes:
    """Return a request whose body comes in chunks of a size, or at once if that is 0."""
    head = b"%b /asked HTTP/1.1\r\nHost: x\r\nX-Padding: %b\r\n" % (method, b"a" * padding)
    framed = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    size = max(size, len(body) // 4096) if size else 0  # There is a limit for what chunks take.
    return head + upgrade + (chunked(body, size) if size else framed)


REQUESTS = st.builds(
    request,
    st.sampled_from([b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT"]),
    st.sampled_from(UPGRADES),
    st.sampled_from([b"", b"x", HIDDEN, b"\r\n" * 4 + HIDDEN, HIDDEN + b"\r\n" * 2, HIDDEN * 1800]),
    st.sampled_from([0, 0, 1, 2, 7, 4096]),
    st.sampled_from([0, 3900, 3950, 4000, 8100]),
)


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("size", [0, 9])
def test_a_body_is_never_a_request_wherever_its_bytes_are_parted(
    address: tuple[str, int], upgrade: bytes, size: int
) -> None:
    stream = request(b"POST", upgrade, b"\r\n\r\n" + HIDDEN, size, 0)
    for at in range(1, len(stream)):
        assert seen(address, stream[:at], stream[at:]) == expected(stream)


@given(st.lists(REQUESTS, min_size=1, max_size=3), st.data())
@hypothesis.settings(EXAMPLES)
def test_a_stream_contains_the_requests_that_h11_finds(
    address: tuple[str, int], requests: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(requests)
    at = data.draw(st.integers(0, len(stream)))

    assert seen(address, stream[:at], stream[at:]) == expected(stream)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",  # h11 takes this.
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        b"Content-Length: 3,3\r\n\r\nabc",
        b"Content-Length: +3\r\n\r\nabc",
        b"Content-Length: 3_0\r\n\r\nabc",
        b"Content-Length:\r\n\r\n",
        b"Content-Length:\r\n 36\r\n\r\n",
        b"X: y\n\r\n",
        b"X: y\rContent-Length: 36\r\n\r\n",
    ],
)
def test_where_readers_could_differ_there_is_no_request(
    address: tuple[str, int], framing: bytes
) -> None:
    stream = b"POST /asked HTTP/1.1\r\nHost: x\r\n" + framing + HIDDEN

    assert all(not seen(address, stream[:at], stream[at:]) for at in range(0, len(stream), 7))
