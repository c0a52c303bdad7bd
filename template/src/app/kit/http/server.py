"""The listening sockets, and the processes that share them."""

import asyncio
import errno
import logging
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from uvicorn import Config, Server
from uvicorn.supervisors import ChangeReload, Multiprocess

from app.kit import environment
from app.kit.errors import InvalidSettings, ServiceError

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as Loop
else:
    from uvloop import Loop

Address = tuple[socket.AddressFamily, tuple[Any, ...]]

log = logging.getLogger(__name__)

BACKLOG = 2048
SHUTDOWN_SECONDS = 7
WORKER_START_SECONDS = 9
MAX_ENDS, ENDS_SECONDS = 3, 30
"""Ends of each worker after which they are not started again."""
NOT_STARTED = "The service does not start; the log has the reason."
NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""Errors of an address family that is switched off."""


class Workers(Multiprocess):
    """Workers that stop, instead of starting again and again, if they cannot serve."""

    failed = False
    _ends: tuple[float, ...] = ()

    def terminate_all(self) -> None:
        """Close the port first: else clients could still connect, and would get no answer."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def restart_all(self) -> None:
        """Read ``.env`` again; if it is wrong, the old workers stay."""
        try:
            environment.load_dotenv()
        except InvalidSettings as error:
            log.error("No restart: %s", error)
        else:
            environment.drop_missing_plugins()
            super().restart_all()

    def keep_subprocess_alive(self) -> None:
        if self.should_exit.is_set():
            return
        before = list(self.processes)
        super().keep_subprocess_alive()
        ended = [worker for worker in before if worker not in self.processes]
        now = time.monotonic()
        self._ends = (*(t for t in self._ends if now - t < ENDS_SECONDS), *(now for _ in ended))
        is_broken = any((worker.exitcode or 0) > 0 for worker in ended)  # A signal is below 0.
        if len(self._ends) >= MAX_ENDS * len(before) or (is_broken and not self._any_ready()):
            self.should_exit.set()
        self.failed = self.should_exit.is_set()

    def _any_ready(self) -> bool:
        return any(worker.is_ready(timeout=1) for worker in self.processes)


class EventLoop(Loop):
    """An event loop that resets no connection which the kernel has already accepted."""

    async def create_server(self, *args: Any, **options: Any) -> Any:
        server = await super().create_server(*args, **options)
        return _Listening(server, args[0], options["sock"].dup())


class _Listening:
    """A listening server; it has the methods that uvicorn calls."""

    def __init__(self, server: Any, factory: Callable[[], Any], copy: socket.socket) -> None:
        self._server, self._factory, self._copy = server, factory, copy
        self.wait_closed = server.wait_closed

    def close(self) -> None:
        """Stop listening, and serve the connections that wait in the kernel's queue."""
        self._server.close()
        connections = []
        with self._copy, suppress(BlockingIOError):
            while True:
                connections.append(self._copy.accept()[0])
        self._task = asyncio.create_task(self._serve(connections))

    async def _serve(self, connections: list[socket.socket]) -> None:
        for connection in connections:
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            _, protocol = await loop.connect_accepted_socket(self._factory, connection)
            protocol.shutdown()


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets for all addresses of a host; ``::`` is every address, also of IPv4.

    Raises ``InvalidSettings``.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        listeners = _listen(_addresses(host, port))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "this is not the name of a host"
        reason = reason.partition(" (")[0]  # Python appends the address.
        raise InvalidSettings(f"HOST, PORT: cannot listen on {place}: {reason}") from None
    log.info("Listening on http://%s", place)
    return listeners


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses: list[Address] = [(family, address) for family, *_, address in found]
    if any(address[0] == "::" for _, address in addresses):
        addresses.append((socket.AF_INET, ("0.0.0.0", port)))
    return list(dict.fromkeys(addresses))


def _listen(addresses: list[Address]) -> list[socket.socket]:
    listeners, failed = [], OSError()
    for family, address in addresses:
        try:
            listeners.append(socket.create_server(address, family=family, backlog=BACKLOG))
        except OSError as error:
            if error.errno not in NOT_HERE:
                raise
            failed = error
    if not listeners:
        raise failed
    return listeners


def run(
    listeners: list[socket.socket], create_app: str, workers: int, reload: bool, keep_alive: int
) -> None:
    """Run the server in one process or several; ``keep_alive`` is in seconds.

    Raises ``ServiceError`` if it does not start.
    """
    config = Config(
        create_app,
        factory=True,
        http="app.kit.http.protocol:BoundedProtocol",
        loop="app.kit.http.server:EventLoop",
        workers=workers,
        reload=reload,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_START_SECONDS,
    )
    with suppress(KeyboardInterrupt):
        if config.reload:
            ChangeReload(config, Server(config).run, listeners).run()
        elif config.workers > 1:
            supervisor = Workers(config, listeners)
            supervisor.run()
            if supervisor.failed:
                raise ServiceError(NOT_STARTED)
        else:
            _run_alone(Server(config), listeners)


def _run_alone(server: Server, listeners: list[socket.socket]) -> None:
    try:
        return server.run(listeners)
    except SystemExit:  # uvicorn's, after it has logged the reason.
        pass
    except Exception:
        log.exception("A bug ended the service.")
    raise ServiceError(NOT_STARTED)
