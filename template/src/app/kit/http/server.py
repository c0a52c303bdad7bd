"""The processes that serve on the listening sockets."""

import logging
import socket
import time
from contextlib import suppress
from typing import Any

from uvicorn import Config, Server
from uvicorn.supervisors import ChangeReload, Multiprocess

from app.kit import environment
from app.kit.errors import InvalidSettings, ServiceError

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 7
WORKER_START_SECONDS = 9
MAX_ENDS, ENDS_SECONDS = 3, 30
"""Ends of each worker after which they are not started again."""
NOT_STARTED = "The service does not start; the log has the reason."
OPTIONS: dict[str, Any] = {
    "factory": True,
    "http": "app.kit.http.protocol:BoundedProtocol",
    "loop": "app.kit.http.listening:EventLoop",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
    "timeout_worker_healthcheck": WORKER_START_SECONDS,
}


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


def run(
    listeners: list[socket.socket], create_app: str, workers: int, reload: bool, keep_alive: int
) -> None:
    """Run the server in one process or several; ``keep_alive`` is in seconds.

    Raises ``ServiceError`` if it does not start.
    """
    config = Config(
        create_app, workers=workers, reload=reload, timeout_keep_alive=keep_alive, **OPTIONS
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
