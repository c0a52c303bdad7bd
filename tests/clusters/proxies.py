"""Poolers and proxies in front of servers."""

import shutil
from pathlib import Path
from typing import ClassVar

from binaries import unpack_debian
from servers import Server, as_nobody


class Proxy(Server):
    """A program in front of servers, with a file of settings."""

    template: ClassVar[str]  # of the file

    def __init__(self, *servers: Server) -> None:
        self.servers = servers

    def fetch(self, folder: Path) -> None:
        unpack_debian(folder, self.package)

    def prepare(self) -> None:
        file = self.data / "settings"
        file.write_text(self.template.format(self=self))
        if user := as_nobody():
            shutil.chown(file, user["user"], user["group"])

    def start(self) -> None:
        self._spawn(*self._command())
        self._await_port()


class PgBouncer(Proxy):
    """A pooler in front of one PostgreSQL server; ``mode`` is session or transaction."""

    name = "PgBouncer"
    package = "pgbouncer"
    binary = "usr/sbin/pgbouncer"
    options = "{self.data}/settings"
    address = "postgresql://postgres@127.0.0.1:{port}/postgres"
    template = """
[databases]
* = host=127.0.0.1 port={self.servers[0].port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = {self.mode}
default_pool_size = 40
server_login_retry = 1
"""

    def __init__(self, *servers: Server, mode: str) -> None:
        super().__init__(*servers)
        self.mode = mode


class HAProxy(Proxy):
    """A TCP proxy in front of servers, which ends connections that are idle for some seconds."""

    name = "HAProxy"
    package = "haproxy"
    binary = "usr/sbin/haproxy"
    options = "-db -f {self.data}/settings"
    version_option = "-v"
    template = """
defaults
    mode tcp
    timeout connect 1s
    timeout client {self.idle}s
    timeout server {self.idle}s
listen database
    bind 127.0.0.1:{self.port}
{self.check}
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{self.backends}
"""

    def __init__(self, *servers: Server, idle: float = 600) -> None:
        super().__init__(*servers)
        self.idle = idle

    @property
    def check(self) -> str:
        """The lines by which it knows whether to use a server: here, whether its port is open."""
        return "    option tcp-check"

    @property
    def url(self) -> str:
        """The URL of the servers by this proxy."""
        return self.servers[0].address.format(port=self.port)

    @property
    def backends(self) -> str:
        """The lines for the servers."""
        ports = [server.port for server in self.servers]
        return "\n".join(f"    server node{i} 127.0.0.1:{port}" for i, port in enumerate(ports))
