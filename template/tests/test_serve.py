"""`app serve`, from its start to its end."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import httpx
import pytest

from app.settings import Settings
from tests.test_cli import APP, environment, url


@contextmanager
def serving(settings: Settings, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = environment(DATABASE_URL=url(settings), PORT=str(port))
    process = subprocess.Popen([APP, "serve", *options], env=variables)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health/ready")
        yield process, address
    finally:
        process.kill()
        process.wait()


def wait_for(address: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(address)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_finishes_what_is_under_way(settings: Settings, workers: str) -> None:
    with serving(settings, "--workers", workers) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b'Content-Length: 15\r\n\r\n{"content":'
            )
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            slow.sendall(b'"x"}')
            assert slow.recv(65536).startswith(b"HTTP/1.1 201 ")
        assert process.wait(timeout=10) == 0


def test_sigterm_lets_open_connections_end_between_two_requests(settings: Settings) -> None:
    with serving(settings) as (process, address):
        client = HTTPConnection(address.removeprefix("http://"))
        answer = get(client, "/notes")
        process.terminate()
        while answer.getheader("Connection") != "close":
            answer = get(client, "/notes")
            assert answer.status == 200
        assert process.wait(timeout=10) == 0


def get(client: HTTPConnection, path: str) -> HTTPResponse:
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    return answer
