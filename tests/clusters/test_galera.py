"""A Galera cluster of three nodes of MariaDB, on bad days."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from clusters.galera import CHECK, Node, Spreading, await_whole, form
from clusters.load import Load, under_load
from conftest import ROOT, Made

FAULT_SECONDS = 3.0

Nodes = tuple[Node, ...]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield form(stack)


@pytest.fixture(scope="module")
def load(
    cluster: Nodes, installed: Made, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Load]:
    """One load for all tests; its verdict comes at their end.

    One service has the nodes in its URL, the other a proxy that spreads its connections. What a
    client writes through one it reads through the other.
    """
    folder = tmp_path_factory.mktemp("galera")
    with (
        Spreading(*cluster) as proxy,
        under_load(installed("adaptable"), folder, url(*cluster), proxy.url) as load,
    ):
        assert all(node.connections() for node in cluster)
        yield load


@pytest.fixture
def nodes(cluster: Nodes, load: Load) -> Iterator[Nodes]:
    """A whole cluster under load; clients use the first node until something happens."""
    yield cluster
    await_whole(cluster)
    load.settle()


def url(*nodes: Node) -> str:
    """Return the URL that names these nodes."""
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return f"mysql://app:app@{hosts}/app"


def report(fault: str, load: Load) -> None:
    print(f"Galera, {fault}: writes again after {load.settle():.1f} s")


def in_use(nodes: Nodes) -> Node:
    """Return the node with the most connections."""
    return max(nodes, key=Node.connections)


def test_a_node_is_killed(nodes: Nodes, load: Load) -> None:
    node = in_use(nodes)
    node.stop()
    report("a node is killed", load)
    node.start()
    await_whole(nodes)


def test_a_node_is_restarted(nodes: Nodes, load: Load) -> None:
    node = in_use(nodes)
    node.end()
    report("a node is restarted", load)
    node.start()


@pytest.mark.parametrize("is_used", [True, False])
def test_a_node_is_frozen(nodes: Nodes, load: Load, is_used: bool) -> None:
    node = next(node for node in nodes if (node is in_use(nodes)) == is_used)
    node.freeze()
    report(f"a node is frozen that {'is' if is_used else 'is not'} in use", load)
    time.sleep(FAULT_SECONDS)
    node.thaw()


def test_a_node_is_cut_off(nodes: Nodes, load: Load) -> None:
    node = in_use(nodes)
    node.isolate(True)
    report("a node is cut off", load)
    time.sleep(FAULT_SECONDS)
    assert in_use(nodes) is not node
    node.isolate(False)


def test_a_node_lags(nodes: Nodes, load: Load) -> None:
    """It applies what the others wrote a second later; reads wait for it."""
    for _ in range(3):
        nodes[-1].sql("LOCK TABLES app.notes READ; DO SLEEP(1); UNLOCK TABLES")
    report("a node lags", load)


def test_two_of_three_nodes_are_lost(nodes: Nodes, load: Load) -> None:
    """Without a majority the last one takes neither writes nor reads."""
    for node in nodes[:2]:
        node.stop()
    time.sleep(2 * FAULT_SECONDS)
    assert max(client.last_success for client in load.clients) < time.monotonic() - 1
    with ThreadPoolExecutor() as pool:
        list(pool.map(Node.start, nodes[:2]))
    report("two of three nodes are lost and back", load)


def test_the_check_of_the_proxy_is_the_documented_one() -> None:
    assert CHECK in (ROOT / "docs/clusters.md").read_text()
