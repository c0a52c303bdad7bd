"""s3rius/FastAPI-template as generated: its example is a table of names, without comments."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from client import Call, run
from services import Program, empty, running, uvicorn

NAME = "s3rius"
VERSION = "6.1.2"
PATH = "/api/dummy/"
PAGE = Call((f"{PATH}?limit=20",))
CREATE = Call((PATH,), "PUT", '{"name":"Buy oat milk and call the plumber before six"}')
CHOICES = {
    "sqlite": ("sqlite", "sqlalchemy"),
    "postgres": ("postgresql", "sqlalchemy"),
    "mysql": ("mysql", "sqlalchemy"),
    "mongodb": ("mongodb", "beanie"),
}
NOT_NEEDED = "mysqlclient ; python_version < '3'\n"
"""It is a dependency, but not the driver, and needs a compiler."""


@contextmanager
def prepared(database: str, folder: Path) -> Iterator[Program]:
    """Generate the service, and yield it with its own database, which has some names."""
    project = _generate(database, folder)
    with empty(database) as url, _user(url) if database == "mongodb" else nullcontext():
        program = _program(project, url)
        with running(program) as service:
            run(CREATE, service.port, 0.5, 1)
        yield program


@contextmanager
def _user(url: str) -> Iterator[None]:
    """Make a user of a MongoDB database, since the service always logs in."""
    from pymongo import MongoClient  # Not in projects for other databases.

    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database.command("createUser", NAME, pwd=NAME, roles=["readWrite"])
        yield
        database.command("dropUser", NAME)


def _generate(database: str, folder: Path) -> Path:
    kind, orm = CHOICES[database]
    choices = (
        f"--name {NAME} --api-type rest --db {kind} --orm {orm} --ci none --dummy --routers --quiet"
    )
    tool = ["uv", "tool", "run", "--quiet", f"fastapi_template=={VERSION}"]
    subprocess.run(
        [*tool, *choices.split()], cwd=folder / database, check=True, stdout=subprocess.DEVNULL
    )
    project, python = folder / database / NAME, [f"--python={sys.executable}"]
    (folder / "not-needed").write_text(NOT_NEEDED)
    subprocess.run(
        ["uv", "venv", "--quiet", "--no-project", *python, project / ".venv"], check=True
    )
    there = [f"--python={project / '.venv'}", "--override", folder / "not-needed"]
    packages = ["-r", project / "pyproject.toml"]
    subprocess.run(["uv", "pip", "install", "--quiet", *there, *packages], check=True)
    return project


def _program(project: Path, url: str) -> Program:
    parts = urlsplit(url)
    given = {
        "FILE": parts.path[1:],
        "HOST": parts.hostname or "",
        "PORT": str(parts.port),
        "USER": parts.username or NAME,
        "PASS": parts.password or NAME,
        "BASE": parts.path[1:],
    }
    variables = {f"{NAME.upper()}_DB_{key}": value for key, value in given.items()}
    app = [f"{NAME}.web.application:get_app", "--factory", "--app-dir", str(project)]
    return uvicorn(NAME, project / ".venv/bin", app, variables, path=PATH)
