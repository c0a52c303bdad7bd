"""Connecting to PostgreSQL: to the host that is the primary, directly or through a pooler."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import asyncpg

from app.kit.storage import postgres_errors
from app.kit.storage.operations import OPERATION_SECONDS
from app.kit.storage.sql_async_hosts import Host, Hosts
from app.kit.storage.sql_errors import connecting

CANCEL_SECONDS = 1.0
LIMIT = f"'{OPERATION_SECONDS}s'"
# A pooler invents the process that its client may cancel. A session behind it is not to be changed.
LIMIT_SESSION = (
    f"SELECT set_config('statement_timeout', {LIMIT}, false) WHERE pg_backend_pid() = {{pid}}"
)
LIMITED = "SELECT 1"
WAIT_FOR_STANDBY = "SyncRepWaitForLSN"
"""The server's function that waits for a standby. A warning of it is that somebody ended the wait.

Then the commit succeeds, though the write is lost with the primary.
"""


class Connector:
    """Connects to the primary.

    ``is_pooled`` is whether a pooler is in between, which may give each transaction to another
    session: no prepared statement lasts.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = dict(arguments)
        hosts = [*zip(self._arguments.pop("host"), self._arguments.pop("port"), strict=True)]
        self._hosts = Hosts[Any](hosts, self._open)
        self._opened = WeakKeyDictionary[Any, Host]()
        self._unconfirmed = WeakSet[Any]()
        self.is_pooled = arguments.get("statement_cache_size") == 0

    async def connect(self) -> Any:
        """Return a new connection."""
        with connecting(postgres_errors.fault):
            return await self._hosts.connect()

    async def _open(self, host: Host, _: object) -> Any:
        name, port = host
        cache = {"statement_cache_size": 0} if self.is_pooled else {}
        connection = await asyncpg.connect(host=name, port=port, **self._arguments | cache)
        try:
            await self._limit(connection)
        except BaseException:
            connection.terminate()
            raise
        connection.add_log_listener(self._notice)
        self._opened[connection] = host
        self._terminate(host.__ne__)  # What was the primary is not any more.
        return connection

    async def _limit(self, connection: Any) -> None:
        """Limit the time of statements, unless the session is a pooler's."""
        if not self.is_pooled:
            limit = LIMIT_SESSION.format(pid=connection.get_server_pid())
            self.is_pooled = await connection.execute(limit) != LIMITED

    def _notice(self, connection: Any, message: Any) -> None:
        if message.server_source_function == WAIT_FOR_STANDBY:
            self._unconfirmed.add(connection)

    def require_confirmed(self, connection: Any) -> None:
        """Raise an outage if no standby has confirmed the last commit."""
        if connection in self._unconfirmed:
            self._unconfirmed.remove(connection)
            raise asyncpg.StatementCompletionUnknownError("The wait for a standby was cancelled.")

    async def give_up(self, connection: Any) -> None:
        """Cancel the statement at the server, and close the connection.

        Else a commit that waits for a lost standby would keep its server process for ever. If the
        server hangs, its other connections end, too, so that not each of them takes its time.
        Another host may be the primary by now: this one is not the first to be tried.
        """
        host = self._opened[connection]
        self._hosts.leave(host)
        try:
            await connection.close(timeout=CANCEL_SECONDS)
        except Exception:
            self._terminate(host.__eq__)

    def _terminate(self, is_wrong: Callable[[Host], bool]) -> None:
        for connection in [each for each, host in self._opened.items() if is_wrong(host)]:
            connection.terminate()
