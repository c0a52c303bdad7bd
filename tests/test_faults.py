"""A database that freezes, is killed and comes back, or is locked, under load."""

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE
from threading import Event

import httpx2
import pytest

from conftest import SERVERS, Made, environment
from servers import ENGINES, MongoDB, Postgres, Server
from test_lifecycle import free_port, ready, running

CLIENTS = 8
LONGEST_SECONDS = 5
FAULT_SECONDS = 2.5  # Longer than an operation may take.

Answers = list[httpx2.Response]


@contextmanager
def serving(project: Path, url: str, folder: Path) -> Iterator[str]:
    """Run a project's service in a folder, on a new database, and yield its address."""
    port = free_port()
    variables = {"DATABASE_URL": url, "PORT": str(port)}
    app = str(project / ".venv/bin/app")
    env = environment("sqlite") | variables
    subprocess.run([app, "migrate"], cwd=folder, env=env, check=True)
    with running([app, "serve"], folder, **variables) as process:
        address = f"http://127.0.0.1:{port}"
        ready(address, process, folder).close()
        yield address
        assert process.poll() is None


@contextmanager
def under_load(address: str) -> Iterator[Answers]:
    """Create and change notes without a pause, all of them the first, and yield the answers."""
    done, answers = Event(), Answers()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(work, address, done, answers) for _ in range(CLIENTS)]
        try:
            yield answers
        finally:
            done.set()
        for client in clients:
            client.result()


def work(address: str, done: Event, answers: Answers) -> None:
    with httpx2.Client(base_url=address, timeout=2 * LONGEST_SECONDS) as client:
        while not done.is_set():
            answers.append(create(client))
            made = (answer.headers["Location"] for answer in answers if answer.status_code == 201)
            for path in filter(None, {answers[-1].headers.get("Location"), next(made, None)}):
                answers.append(client.put(path, json={"content": "new"}))


def create(client: httpx2.Client) -> httpx2.Response:
    return client.post("/notes", json={"content": "x"})


def await_success(answers: Answers) -> None:
    """Return once something was answered with success after now."""
    before = len(answers)
    for _ in range(1000):
        if any(answer.is_success for answer in answers[before:]):
            return
        time.sleep(0.01)
    raise TimeoutError(answers[-1])


def check(address: str, answers: Answers) -> None:
    """Check that nothing but success and 503 came, and that all that succeeded is there."""
    for answer in answers:
        assert answer.is_success or answer.status_code == 503, answer.text
        assert answer.is_success or answer.headers["Retry-After"]
        assert answer.elapsed.total_seconds() < LONGEST_SECONDS
    assert any(answer.status_code == 503 for answer in answers)
    with httpx2.Client(base_url=address) as client:
        assert client.get("/health/ready").status_code == 200
        there = {answer.url.path: "new" for answer in answers if answer.status_code == 200}
        created = [answer.headers["Location"] for answer in answers if answer.status_code == 201]
        for path in created:
            content = client.get(path).json()["data"]["content"]
            assert content == "new" or path not in there


@pytest.mark.parametrize("engine", SERVERS)
def test_a_server_that_comes_late_freezes_or_dies_costs_503_and_no_note(
    installed: Made, tmp_path: Path, engine: str
) -> None:
    with (
        ENGINES[engine]() as server,
        begun_before(server, installed("adaptable"), tmp_path) as address,
    ):
        with under_load(address) as answers:
            await_success(answers)
            server.freeze()
            time.sleep(FAULT_SECONDS)
            server.thaw()
            await_success(answers)
            server.stop()
            server.start()
            await_success(answers)
        check(address, answers)


@contextmanager
def begun_before(server: Server, project: Path, folder: Path) -> Iterator[str]:
    """Run a project's service and its migration, see both wait for the server, and start it."""
    app, port = str(project / ".venv/bin/app"), free_port()
    variables = {"DATABASE_URL": app_url(server), "PORT": str(port), "STARTUP_TIMEOUT": "60"}
    env = environment("sqlite") | variables
    server.stop()
    with (
        running([app, "serve"], folder, **variables) as service,
        subprocess.Popen([app, "migrate"], env=env, stdout=PIPE, text=True) as migrate,
    ):
        assert migrate.stdout
        assert "Waiting up to 60 s: The database is unavailable." in migrate.stdout.readline()
        hasty = env | {"STARTUP_TIMEOUT": "0"}
        in_vain = subprocess.run([app, "migrate"], env=hasty, stderr=PIPE, text=True)
        assert (in_vain.returncode, in_vain.stderr.count("\n")) == (1, 1)
        address = f"http://127.0.0.1:{port}"
        with httpx2.Client(transport=httpx2.HTTPTransport(retries=9)) as client:
            assert client.get(f"{address}/health/live").status_code == 200
            assert client.get(f"{address}/health/ready", timeout=5).status_code == 503
        server.start()
        assert migrate.wait() == 0
        ready(address, service, folder).close()
        assert "Not ready yet: The database is unavailable." in (folder / "log").read_text()
        yield address
        assert service.poll() is None


@pytest.mark.parametrize("engine", SERVERS)
def test_a_clean_restart_under_writers_costs_503_and_no_note(
    installed: Made, tmp_path: Path, engine: str
) -> None:
    """It closes the connections that are idle at that moment, too."""
    with (
        ENGINES[engine]() as server,
        serving(installed("adaptable"), app_url(server), tmp_path) as address,
    ):
        with under_load(address) as answers:
            for _ in range(2):
                await_success(answers)
                server.end()
                time.sleep(FAULT_SECONDS)  # An operation may wait for a server that comes sooner.
                server.start()
            await_success(answers)
        check(address, answers)


TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def test_terminated_sessions_of_writers_cost_503_and_no_note(
    installed: Made, tmp_path: Path
) -> None:
    with (
        Postgres() as server,
        serving(installed("adaptable"), app_url(server), tmp_path) as address,
    ):
        with under_load(address) as answers:
            for _ in range(5):
                await_success(answers)
                server.sql(TERMINATE)
            await_success(answers)
        check(address, answers)


HANG = """
import asyncio, os, signal
import sqlalchemy as sa
from app.kit.errors import Unavailable
from app.kit.storage import open_storage
from app.kit.storage.sql_statements import Bound
from app.settings import Settings

CHANGE = Bound("SELECT pg_sleep(1)", []), Bound("SELECT 1", [])

async def hang():
    async with open_storage(Settings(database_pool_size=1)) as storage:
        ((session,),) = await storage.fetch(sa.text("SELECT pg_backend_pid()"))
        change = storage.bounded(lambda: storage.update_and_select(*CHANGE))
        changing = asyncio.create_task(change)
        await asyncio.sleep(0.3)
        os.kill(session, signal.SIGSTOP)
        ended, _ = await asyncio.wait([changing], timeout=4)
        os.kill(session, signal.SIGCONT)
        assert ended and isinstance(changing.exception(), Unavailable)
        await storage.check()

asyncio.run(hang())
"""


def test_a_session_that_hangs_in_a_change_is_given_up(installed: Made) -> None:
    with Postgres() as server:
        project = installed("adaptable") / ".venv/bin"
        env = environment("sqlite") | {"DATABASE_URL": server.url}
        subprocess.run([project / "app", "migrate"], env=env, check=True)
        subprocess.run([project / "python", "-c", HANG], env=env, check=True, timeout=60)


WEAK = {
    "postgres": ("CREATE USER weak PASSWORD 'weak'",),
    "mysql": ("CREATE USER weak IDENTIFIED BY 'weak'", "GRANT SELECT ON app.* TO weak"),
}
EXECUTE = """
import asyncio, sys
from app.kit.storage import open_storage
from app.settings import Settings

async def execute():
    async with open_storage(Settings()) as storage:
        for statement in sys.argv[1:]:
            await storage.transact(lambda c: c.exec_driver_sql(statement).close())

asyncio.run(execute())
"""


@pytest.mark.parametrize("engine", WEAK)
def test_a_right_that_is_missing_is_one_line(installed: Made, tmp_path: Path, engine: str) -> None:
    with ENGINES[engine]() as server:
        project = installed("adaptable") / ".venv/bin"
        env = environment("sqlite") | {"DATABASE_URL": server.url}
        subprocess.run([project / "python", "-c", EXECUTE, *WEAK[engine]], env=env, check=True)
        scheme, _, place = server.url.partition("://")
        weak = f"{scheme}://weak:weak@{place.partition('@')[2]}"
        began = time.monotonic()
        run = subprocess.run(
            [project / "app", "migrate"],
            cwd=tmp_path,
            env=environment("sqlite") | {"DATABASE_URL": weak},
            capture_output=True,
            text=True,
        )

    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "The database does not allow this." in run.stderr
    assert time.monotonic() - began < 9  # It did not wait for the right.


def app_url(server: Server) -> str:
    """Return the URL of a database on a server; MongoDB's own names none."""
    return server.url.replace("/?", "/app?")


def test_a_read_of_mongodb_whose_connection_is_lost_is_tried_again(
    installed: Made, tmp_path: Path
) -> None:
    with (
        MongoDB() as server,
        serving(installed("adaptable"), app_url(server), tmp_path) as address,
    ):
        note = httpx2.post(f"{address}/notes", json={"content": "x"}).headers["Location"]
        for path in (note, "/notes"):
            server.cut("find", "app.notes", times=1)
            assert httpx2.get(f"{address}{path}").status_code == 200
        server.cut("find", "app.notes", times=1_000_000)
        assert httpx2.get(f"{address}{note}").status_code == 503


def test_a_file_locked_by_another_process_costs_503_and_no_note(
    installed: Made, tmp_path: Path
) -> None:
    file = tmp_path / "app.db"
    with serving(installed("adaptable"), f"sqlite:///{file}", tmp_path) as address:
        with under_load(address) as answers, closing(sqlite3.connect(file, timeout=10)) as other:
            await_success(answers)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(FAULT_SECONDS)
            assert httpx2.get(f"{address}/notes").status_code == 200
            other.rollback()
            await_success(answers)
        check(address, answers)
