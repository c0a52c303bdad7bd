"""A PostgreSQL server with a synchronous standby, on bad days."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters.load import under_load
from clusters.postgres import Node
from conftest import Made

FAULT_SECONDS = 3.0
WAIT_FOR_A_STANDBY = "ANY 1 (*)"

Nodes = tuple[Node, Node]


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """A primary that waits for its standby, and the standby."""
    with Node() as leader, Node(leader) as standby:
        leader.configure(synchronous_standby_names=WAIT_FOR_A_STANDBY)
        yield leader, standby


def url(*nodes: Node) -> str:
    """Return the URL that names all nodes."""
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"


def test_a_primary_is_killed(nodes: Nodes, installed: Made, tmp_path: Path) -> None:
    leader, standby = nodes
    with under_load(installed("adaptable"), tmp_path, url(leader, standby)) as load:
        leader.stop()
        time.sleep(FAULT_SECONDS)
        standby.promote()
        print(f"writes again after {load.settle():.1f} s")
