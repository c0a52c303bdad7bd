"""Pieces of requests and noise in any order."""

import re
import socket
from contextlib import suppress

import httpx2
import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.fuzzing import EXAMPLES
from tests.kit.running import connected

PARTS = [
    b"GET /probe HTTP/1.1\r\nHost: x\r\n",
    b"POST /probe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n",
    b'{"content":"x"}',
    b"\r\n",
    b"f\r\n",
    b"0\r\n\r\n",
    b"Content-Length: 15\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
]


@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=9), max_size=9))
@hypothesis.settings(EXAMPLES)
def test_whatever_comes_the_service_does_not_fail(
    service: str, client: httpx2.Client, parts: list[bytes]
) -> None:
    with connected(service, b"".join(parts)) as connection:
        with suppress(OSError):  # The service may have closed it already.
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while answer := connection.recv(65536):
                assert not re.search(rb"^HTTP/1.1 5", answer, re.MULTILINE)

    assert client.get("/health/live").status_code == 200
