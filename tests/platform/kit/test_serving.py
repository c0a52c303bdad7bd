"""`app serve`, from its start to its end."""

import asyncio
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.kit.errors import InvalidSettings
from app.kit.http.listening import EventLoop, listen
from app.settings import Settings
from tests.kit.probe.service import create_app
from tests.kit.running import await_lines
from tests.kit.running import process as serving

CLIENTS = 4
POST = (
    b"POST /probe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 15\r\n\r\n"
)


def create(client: HTTPConnection) -> bool:
    """Make a sample, and return whether more may be asked on the same connection."""
    client.request("POST", "/probe", '{"content":"x"}', {"Content-Type": "application/json"})
    answer = client.getresponse()
    assert (answer.status, bool(answer.read())) == (201, True)
    return answer.getheader("Connection") != "close"


def terminate_amid_a_request(process: subprocess.Popen[bytes], address: str) -> None:
    """See that it is finished, that no other is taken, and that the exit code is 0."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(POST + b'{"content":')
        time.sleep(0.3)
        process.terminate()
        wait_until_closed(host, int(port))
        slow.sendall(b'"x"}')
        assert slow.recv(65536).startswith(b"HTTP/1.1 201 ")
    assert process.wait(timeout=10) == 0


def wait_until_closed(host: str, port: int) -> None:
    for _ in range(60):
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise TimeoutError(port)


def test_it_can_end_while_it_begins(settings: Settings) -> None:
    async def begin_and_end(seconds: float) -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await asyncio.sleep(seconds)

    for number in range(40):  # A thread that is still running would print to stderr.
        asyncio.run(begin_and_end(number % 10 / 2000))


def test_sigterm_finishes_what_is_under_way(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path / "log") as (process, address):
        terminate_amid_a_request(process, address)


def test_sigterm_lets_open_connections_end_between_two_requests(
    settings: Settings, tmp_path: Path
) -> None:
    with (
        serving(settings, tmp_path / "log") as (process, address),
        closing(HTTPConnection(address)) as client,
    ):
        assert create(client)
        process.terminate()
        while create(client):
            pass
        assert process.wait(timeout=10) == 0


def test_a_rolling_restart_under_load_loses_no_request(settings: Settings, tmp_path: Path) -> None:
    log, done = tmp_path / "log", Event()

    def create_many(address: str) -> int:
        created = 0
        with closing(HTTPConnection(address)) as client:  # It connects again after "close".
            while not done.is_set():
                create(client)
                created += 1
                time.sleep(0.03)  # The new workers need the processor, too.
        return created

    with (
        serving(settings, log, "--workers", "2") as (process, address),
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        clients = [pool.submit(create_many, address) for _ in range(CLIENTS)]
        process.send_signal(signal.SIGHUP)
        replaced = await_lines(log, "Finished server process", 2)
        done.set()
        assert all(client.result() for client in clients)
        assert replaced
        terminate_amid_a_request(process, address)


class Echo(asyncio.Protocol):
    """Sends one message back."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)
        self.transport.close()

    def shutdown(self) -> None:
        """As uvicorn calls it."""


def test_those_whom_the_kernel_let_in_are_served_also_if_the_server_stops() -> None:
    async def stop_as_one_comes() -> bytes:
        loop = asyncio.get_running_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        server = await loop.create_server(Echo, sock=listener)
        with socket.create_connection(listener.getsockname(), timeout=5) as client:
            client.sendall(b"hello")
            server.close()
            address = client.getpeername()
            answer = await loop.run_in_executor(None, client.recv, 9)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        return answer

    with asyncio.Runner(loop_factory=EventLoop) as runner:
        assert runner.run(stop_as_one_comes()) == b"hello"


def test_an_idle_connection_is_kept_for_the_seconds_of_the_setting(
    settings: Settings, tmp_path: Path
) -> None:
    with (
        serving(settings, tmp_path / "log", KEEP_ALIVE="1") as (_, address),
        closing(HTTPConnection(address, timeout=10)) as client,
    ):
        client.request("GET", "/health/live")
        assert client.getresponse().read()
        answered = time.monotonic()
        assert client.sock.recv(1) == b""
        assert 0.9 < time.monotonic() - answered < 5


def test_two_colons_are_all_addresses_of_both_families(free_port: int) -> None:
    listeners = listen("::", free_port)
    try:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, free_port), timeout=5).close()
        with pytest.raises(
            InvalidSettings, match=rf"^HOST, PORT: cannot listen on \[::\]:{free_port}: Add"
        ):
            listen("::", free_port)
    finally:
        for listener in listeners:
            listener.close()


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "", "a b", "a" * 70, "192.0.2.1", "2001:db8::1"]
)
def test_where_it_cannot_listen_is_one_line(host: str, free_port: int) -> None:
    place = f"[{host}]" if ":" in host else host

    with pytest.raises(InvalidSettings) as refused:
        listen(host, free_port)

    start = f"HOST, PORT: cannot listen on {place}:{free_port}: "
    assert re.fullmatch(re.escape(start) + r"[\w ]+", str(refused.value))


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
