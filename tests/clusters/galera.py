"""A Galera cluster of MariaDB, and a proxy that spreads connections over it."""

import time
from contextlib import ExitStack, suppress
from pathlib import Path

from binaries import ServerError, run, unpack_debian
from clusters.proxies import HAProxy
from servers import PATIENCE, MariaDB, environment, free_port

STATUS = "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_local_state')"
SYNCED = "wsrep_local_state\t4"


class Node(MariaDB):
    """A node; without ``others``, it starts a new cluster."""

    name = "Galera node"
    variable = ""
    package = "mariadb-galera"
    membership = """
        --binlog-format=ROW --innodb-autoinc-lock-mode=2 --wsrep-on=ON --wsrep-slave-threads=2
        --wsrep-provider={self.binaries}/usr/lib/galera/libgalera_smm.so
        --wsrep-cluster-address=gcomm://{self.peers} --wsrep-node-address=127.0.0.1
        --wsrep-sst-method=rsync --wsrep-sst-receive-address=127.0.0.1:{self.sst}
        --wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{self.group};ist.recv_addr=127.0.0.1:{self.ist};gcache.size=16M;evs.suspect_timeout=PT1S;evs.inactive_timeout=PT3S;evs.inactive_check_period=PT0.2S;evs.keepalive_period=PT0.2S;evs.install_timeout=PT3S
    """

    def __init__(self, *others: "Node") -> None:
        self.others = others
        self.group, self.sst, self.ist = free_port(), free_port(), free_port()

    @property
    def peers(self) -> str:
        return ",".join(f"127.0.0.1:{other.group}" for other in self.others)

    @property
    def client(self) -> Path:
        return self.binaries / "usr/bin/mariadb"

    def fetch(self, folder: Path) -> None:
        more = ("mariadb-server", "mariadb-client-core", "galera-4", "rsync")
        unpack_debian(folder, "mariadb-server-core", *more)

    def prepare(self) -> None:
        if not self.others:  # They get the data of the first one.
            super().prepare()

    def start(self) -> None:
        new = () if self.others else ("--wsrep-new-cluster",)
        options = [option.format(self=self) for option in self.membership.split()]
        path = f"{self.binaries}/usr/bin:{self.binaries}/usr/sbin:/usr/bin:/bin:/usr/sbin"
        self._spawn(*self._command(), *options, *new, PATH=path)
        self._await_port()

    def await_size(self, size: int) -> None:
        """Return once the node is synced in a cluster of this size."""
        end = time.monotonic() + PATIENCE
        while self._status() != {f"wsrep_cluster_size\t{size}", SYNCED}:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.port}: {self._status()}")
            time.sleep(0.05)

    def _status(self) -> set[str]:
        with suppress(ServerError):
            return set(self.sql(STATUS).splitlines())
        return set()

    def connections(self) -> int:
        """Return how many connections the node has to clients."""
        return int(self.sql("SHOW STATUS LIKE 'Threads_connected'").split()[1]) - 1

    def isolate(self, isolated: bool) -> None:
        """Cut the node off from the others, or let it find them again."""
        self.sql(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={isolated:d}'")

    def sql(self, statement: str) -> str:
        """Return what the server answers to a statement, as unaligned text."""
        where = ("--host=127.0.0.1", f"--port={self.port}", "--user=app", "--password=app")
        command = (self.client, "--no-defaults", *where, "-sN", f"--execute={statement}")
        return run(*command, env=environment(self.binaries)).strip()


def form(stack: ExitStack) -> tuple[Node, ...]:
    """Start a cluster of three, which ends with the stack."""
    first = stack.enter_context(Node())
    first.await_size(1)
    nodes = (first, *(stack.enter_context(Node(first)) for _ in range(2)))
    first.sql("CREATE USER haproxy")
    for node in nodes:
        node.others = tuple(other for other in nodes if other is not node)
    await_whole(nodes)
    return nodes


def await_whole(nodes: tuple[Node, ...]) -> None:
    """Return once all nodes are members of one cluster."""
    for node in nodes:
        node.await_size(len(nodes))


CHECK = """#!/bin/sh
# HAProxy passes the address and the port of a node as the third and the fourth argument.
state=$(mariadb --no-defaults --connect-timeout=1 --host="$3" --port="$4" --user=haproxy \\
    -sN --execute="SHOW STATUS LIKE 'wsrep_local_state'")
test "$state" = "wsrep_local_state	4"
"""


class Spreading(HAProxy):
    """Gives each new connection to the next node that is synced."""

    servers: tuple[Node, ...]
    template = "global\n    external-check\n    insecure-fork-wanted\n" + HAProxy.template

    @property
    def check(self) -> str:
        return f"""
    balance roundrobin
    option external-check
    external-check path {self.data}:/usr/bin:/bin
    external-check command {self.data}/check
    """

    def prepare(self) -> None:
        super().prepare()
        client = self.servers[0].client
        libraries = environment(self.servers[0].binaries)["LD_LIBRARY_PATH"]
        wrapper = f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {client} "$@"\n'
        for name, script in {"check": CHECK, "mariadb": wrapper}.items():
            (self.data / name).write_text(script)
            (self.data / name).chmod(0o755)
