"""A PostgreSQL server with a synchronous standby, on bad days."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pytest

from clusters.load import CLIENTS, Load, under_load
from clusters.postgres import Node, PrimaryProxy
from clusters.proxies import HAProxy, PgBouncer
from conftest import Made
from servers import Server
from test_durability import until
from test_faults import serving

FAULT_SECONDS = 2.5  # Longer than an operation may take.
WAIT_FOR_A_STANDBY = "ANY 1 (*)"
WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
BACKENDS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"

Nodes = tuple[Node, Node]
UnderLoad = Callable[..., AbstractContextManager[Load]]


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """A primary that waits for its standby, and the standby."""
    with Node() as primary:
        primary.sql("CREATE USER haproxy")
        primary.configure(wal_retrieve_retry_interval="500ms")
        with Node(primary) as standby:
            primary.configure(synchronous_standby_names=WAIT_FOR_A_STANDBY)
            yield primary, standby


@pytest.fixture
def loaded(installed: Made, tmp_path: Path) -> UnderLoad:
    """Puts services under load in front of the hosts of some URLs."""

    def on(*servers: Server) -> AbstractContextManager[Load]:
        return under_load(installed("adaptable"), tmp_path, url(*servers))

    return on


def url(*servers: Server) -> str:
    """Return the URL that names these servers."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://postgres@{hosts}/postgres"


def fail_over(load: Load, standby: Node, lost: str) -> None:
    """Let some time pass without a primary, and promote the standby."""
    time.sleep(FAULT_SECONDS)
    standby.promote()
    print(f"{lost}: writes {load.settle():.1f} s after the promotion")


def rejoin(load: Load, old: Node, primary: Node) -> None:
    """Make a lost server the standby of the new primary, which then waits for it."""
    old.follow(primary)
    primary.configure(synchronous_standby_names=WAIT_FOR_A_STANDBY)
    load.settle()


def test_a_primary_is_killed_and_the_next_one_freezes(nodes: Nodes, loaded: UnderLoad) -> None:
    first, second = nodes
    with loaded(first, second) as load:
        first.stop()
        fail_over(load, second, "killed")
        rejoin(load, first, second)
        second.freeze()
        fail_over(load, first, "frozen")
        second.stop()
        rejoin(load, second, first)


def test_a_primary_is_cut_off(nodes: Nodes, loaded: UnderLoad) -> None:
    """Its standby is lost to it as well, and it is fenced before it can be reached again."""
    primary, standby = nodes
    with HAProxy(primary) as network, loaded(network, standby) as load:
        network.freeze()
        primary.configure(synchronous_standby_names="lost")
        fail_over(load, standby, "cut off")
        primary.stop()
        network.thaw()
        load.settle()


@pytest.mark.parametrize("kind", ["comments", "send"])
def test_a_primary_that_is_not_fenced_acknowledges_nothing_and_is_left(
    nodes: Nodes, installed: Made, tmp_path: Path, kind: str
) -> None:
    """Its standby is promoted; reads may come from either, until a write waits for too long."""
    primary, standby = nodes
    with (
        serving(installed("adaptable"), url(primary, standby), tmp_path) as address,
        httpx2.Client(base_url=address, timeout=10) as client,
    ):
        note = add(client, "/notes")
        primary.configure(synchronous_standby_names="lost")
        standby.promote()
        add(client, f"{note}/{kind}")
        primary.stop()
        found = client.get(note).raise_for_status().json()["data"]
        assert (len(found["comments"]), found["times_sent"]) in ((1, 0), (0, 1))


def test_a_standby_freezes_and_is_lost_and_so_is_the_primary(
    nodes: Nodes, loaded: UnderLoad
) -> None:
    """What was not acknowledged is lost then, and no replay may have acknowledged it."""
    primary, standby = nodes
    with loaded(standby, primary) as load:
        standby.freeze()
        time.sleep(FAULT_SECONDS)
        standby.thaw()
        load.settle()
        standby.stop()
        time.sleep(FAULT_SECONDS + 1)  # The second writes wait by now.
        until(lambda: int(primary.sql(f"SELECT count(*) {WAITING}")) <= CLIENTS)
        primary.stop()
        standby.start()
        fail_over(load, standby, "both lost")


def test_a_restart_terminated_sessions_and_a_switchover(nodes: Nodes, loaded: UnderLoad) -> None:
    primary, standby = nodes
    with loaded(primary, standby) as load:
        primary.end()
        primary.start()
        load.settle()
        primary.sql(f"SELECT count(pg_terminate_backend(pid)) {BACKENDS}")
        load.settle()
        primary.end()
        standby.promote()
        print(f"switched over: writes {load.settle():.1f} s after the promotion")
        rejoin(load, primary, standby)


def test_a_primary_becomes_read_only(nodes: Nodes, installed: Made, tmp_path: Path) -> None:
    primary, standby = nodes
    with (
        serving(installed("adaptable"), url(primary, standby), tmp_path) as address,
        httpx2.Client(base_url=address) as client,
    ):
        note = add(client, "/notes")
        primary.configure(default_transaction_read_only="on")
        standby.promote()
        add(client, f"{note}/comments")
        standby.configure(default_transaction_read_only="on")
        primary.configure(default_transaction_read_only="off", synchronous_standby_names="")
        add(client, "/notes")


def add(client: httpx2.Client, path: str) -> str:
    """Return the path of what is added, which may take one try for each connection of the pool."""
    for _ in range(10):
        answer = client.post(path, json={"content": "x"})
        if answer.is_success:
            break
    return answer.raise_for_status().headers.get("Location", "")


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler_and_its_server_are_restarted(nodes: Nodes, loaded: UnderLoad, mode: str) -> None:
    primary, _ = nodes
    with PgBouncer(primary, mode=mode) as pooler, loaded(pooler) as load:
        pooler.stop()
        pooler.start()
        load.settle()
        primary.end()
        primary.start()
        load.settle()


def test_a_proxy_ends_idle_connections_and_follows_the_primary(
    nodes: Nodes, loaded: UnderLoad
) -> None:
    primary, standby = nodes
    with PrimaryProxy(primary, standby, idle=1) as proxy, loaded(proxy) as load:
        standby.freeze()  # So that writes wait, and connections are idle.
        time.sleep(FAULT_SECONDS)
        standby.thaw()
        load.settle()
        primary.stop()
        fail_over(load, standby, "behind a proxy")
