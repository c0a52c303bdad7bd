"""What SQLite's errors mean, as it raises them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.kit.storage.faults import Fault
from app.kit.storage.sqlite_errors import fault

Connection = sqlite3.Connection


def _write_beside(db: Connection) -> None:
    path = db.execute("PRAGMA database_list").fetchone()[2]
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("INSERT INTO t VALUES (2)")


def locked(db: Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    _write_beside(db)


def snapshot(db: Connection) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("BEGIN")
    db.execute("SELECT * FROM t").fetchall()
    _write_beside(db)
    db.execute("INSERT INTO t VALUES (3)")


def read_only(db: Connection) -> None:
    db.execute("PRAGMA query_only=ON")
    db.execute("INSERT INTO t VALUES (2)")


def full(db: Connection) -> None:
    db.execute("PRAGMA max_page_count=3")
    db.execute("INSERT INTO t VALUES (zeroblob(100000))")


def interrupted(db: Connection) -> None:
    db.set_progress_handler(lambda: 1, 1)
    db.execute("SELECT * FROM t").fetchall()


def denied(db: Connection) -> None:
    db.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
    db.execute("SELECT * FROM t")


def garbage(db: Connection) -> None:
    path = db.execute("PRAGMA database_list").fetchone()[2]
    Path(path).write_bytes(b"not a database " * 1000)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM t")


def no_folder(db: Connection) -> None:
    sqlite3.connect("/nowhere/at/all.db")


def execute(statement: str) -> Callable[[Connection], object]:
    return lambda db: db.execute(statement)


MEANS = {
    "locked": (locked, Fault.OUTAGE),
    "snapshot": (snapshot, Fault.TRANSIENT),
    "read-only": (read_only, Fault.NOT_ALLOWED),
    "denied": (denied, Fault.NOT_ALLOWED),
    "full": (full, Fault.OUTAGE),
    "interrupted": (interrupted, Fault.OUTAGE),
    "not a database": (garbage, Fault.OUTAGE),
    "no folder": (no_folder, Fault.OUTAGE),
    "no table": (execute("SELECT * FROM absent"), Fault.SCHEMA),
    "no column": (execute("SELECT y FROM t"), Fault.SCHEMA),
    "no column to write": (execute("INSERT INTO t (y) VALUES (1)"), Fault.SCHEMA),
    "no function": (execute("SELECT absent()"), None),
    "syntax": (execute("SELEKT"), None),
    "constraint": (execute("INSERT INTO t VALUES (1)"), None),
    "parameters": (execute("SELECT ?"), None),
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    path = tmp_path / "errors.db"
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x UNIQUE)")
        connection.execute("INSERT INTO t VALUES (1)")
        yield connection


@pytest.mark.parametrize(("work", "means"), MEANS.values(), ids=MEANS.keys())
def test_every_error_has_a_meaning(
    db: Connection, work: Callable[[Connection], object], means: Fault | None
) -> None:
    with pytest.raises(sqlite3.Error) as caught:
        work(db)

    assert fault(caught.value) is means
    assert fault(sa.exc.DBAPIError("SELECT", None, caught.value)) is means
