"""A write is acknowledged once it is durable, and so is one that is sent again with its key.

While a standby that has to confirm writes is lost, a write is answered by 503. It is stored all the
same, and reads may see it; sent again, it must not be acknowledged by a mere read.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from conftest import SERVERS, Made
from servers import ENGINES, MariaDB, MongoDB, Postgres, Server
from test_faults import app_url, serving

SEMI_SYNC = " --log-bin --rpl-semi-sync-master-enabled --rpl-semi-sync-master-timeout=600000"

CANCEL = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def set_standby(server: Server, *, lost: bool) -> None:
    """Have commits wait without end for a standby, or no longer.

    PostgreSQL and MariaDB are started again, after which reads see what has waited so far. On
    MongoDB the next write does not wait: it is the insert that finds its key taken.
    """
    match server:
        case MongoDB():
            return server.delay_acknowledgements(lost)
        case Postgres():
            settings = "synchronous_standby_names = 'lost'\n" if lost else ""
            (server.data / "postgresql.auto.conf").write_text(settings)
        case MariaDB():
            vars(server)["options"] = MariaDB.options + (SEMI_SYNC if lost else "")
    server.stop()
    server.start()


@pytest.mark.parametrize("engine", SERVERS)
def test_a_write_that_is_sent_again_is_acknowledged_once_it_is_durable(
    installed: Made, tmp_path: Path, engine: str
) -> None:
    with (
        ENGINES[engine]() as server,
        serving(installed("adaptable"), app_url(server), tmp_path) as address,
        httpx2.Client(base_url=address, timeout=10) as client,
    ):
        note = post(client, "/notes", "x").headers["Location"]
        paths = ("/notes", f"{note}/comments")
        first = [post(client, path, "x").headers["Location"] for path in paths]
        set_standby(server, lost=True)
        until(lambda: client.get(note).is_success)
        assert [post(client, path, "x").status_code for path in paths] == [503, 503]
        assert post(client, "/notes", "y").status_code == 503
        set_standby(server, lost=True)
        until(lambda: '"y"' in client.get("/notes").text)
        assert post(client, "/notes", "y").status_code == 503
        set_standby(server, lost=False)
        until(lambda: client.get(note).is_success)
        assert [post(client, path, "x").headers["Location"] for path in paths] == first
        assert post(client, "/notes", "y").status_code == 201
        assert client.get("/notes").text.count('"y"') == 1


def test_a_write_whose_wait_is_cancelled_at_the_server_is_not_acknowledged(
    installed: Made, tmp_path: Path
) -> None:
    """PostgreSQL only warns of it, and reports a success."""
    with (
        Postgres() as server,
        serving(installed("adaptable"), app_url(server), tmp_path) as address,
        httpx2.Client(base_url=address, timeout=10) as client,
        ThreadPoolExecutor() as pool,
    ):
        note = post(client, "/notes", "x").headers["Location"]
        set_standby(server, lost=True)
        until(lambda: client.get(note).is_success)
        for write in (
            lambda: post(client, "/notes", "x"),
            lambda: post(client, "/notes", "y"),
            lambda: post(client, f"{note}/comments", "x"),
            lambda: client.patch(note, json={"content": "y"}),
            lambda: client.delete(note),
        ):
            answer = pool.submit(write)
            until(lambda: server.sql(CANCEL) != "0")
            assert answer.result().status_code == 503, answer.result().request
        assert client.get(note).status_code == 404
        set_standby(server, lost=False)
        until(lambda: post(client, "/notes", "y").is_success)
        assert client.get("/notes").text.count('"y"') == 1


def post(client: httpx2.Client, path: str, content: str) -> httpx2.Response:
    """Send a write, with its content as its key."""
    return client.post(path, json={"content": content}, headers={"Idempotency-Key": content})


def until(done: Callable[[], bool]) -> None:
    """Return once something is so, within half a minute."""
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)
