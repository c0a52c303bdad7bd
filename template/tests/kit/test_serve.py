"""`app serve`, from its start to its end."""

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event

import httpx

from app.main import create_app
from app.settings import Settings
from tests.kit.test_cli import APP, environment, url

CLIENTS = 4
POST = (
    b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 15\r\n\r\n"
)


@contextmanager
def serving(
    settings: Settings, log: Path, *options: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    variables = environment(DATABASE_URL=url(settings), PORT=address.rpartition(":")[2])
    with log.open("w") as file:
        process = subprocess.Popen([APP, "serve", *options], env=variables, stderr=file)
    try:
        wait_for(f"http://{address}/health/ready")
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


def create(client: HTTPConnection) -> bool:
    """Make a note, and return whether more may be asked on the same connection."""
    client.request("POST", "/notes", '{"content":"x"}', {"Content-Type": "application/json"})
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

    for number in range(40):  # A thread that had been left would tell of itself.
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


def await_lines(log: Path, text: str, count: int) -> bool:
    """Wait until a text was logged so many times, and return whether it was."""
    for _ in range(600):
        if log.read_text().count(text) >= count:
            return True
        time.sleep(0.05)
    return False
