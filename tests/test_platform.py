"""The platform's tests that only a change of the platform can break; projects go without them.

To try one, copy tests/platform into an adaptable project's tests, and run it there:

    cp -r tests/platform/. PROJECT/tests && cd PROJECT && .venv/bin/pytest tests/kit/test_framing.py
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, SERVERS, in_place_of
from made_once import once

PLATFORM = ROOT / "tests/platform"
ISSUER = "kit/test_auth_oidc.py"
OF_AN_ISSUER = (ISSUER, "kit/test_auth_requests.py")
WITH_PROCESSES = ("dump_commands", "serve", "serving", "sqlite_threads", "workers")
ON_HTTP = [
    *(f"tests/kit/test_{name}.py" for name in ("http", "fastapi", "errors", "auth", "docs")),
    *(f"tests/notes/test_{name}.py" for name in ("notes", "comments_http")),
]
ON_EACH_ENGINE = (
    "kit/test_fields.py",
    "kit/test_dump.py",
    "kit/test_sql_*.py",
    "kit/test_mongodb_*.py",
    "notes/test_*.py",
)


def copy_of(project: Path, folder: Path) -> Path:
    return shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))


@pytest.fixture(scope="session")
def project(installed: Callable[..., Path], shared: Path) -> Path:
    """The folder of an adaptable project that has these tests as well, except the issuer's."""

    def make(folder: Path) -> None:
        copy_of(installed("adaptable"), folder)
        shutil.copytree(PLATFORM, folder / "tests", dirs_exist_ok=True)
        (folder / "tests" / ISSUER).unlink()

    return once(shared / "platform", make)


def names(project: Path, *patterns: str, without: str) -> list[str]:
    """Return the platform's tests in a project, except those with a word in their names."""
    found = [p.relative_to(PLATFORM) for pattern in patterns for p in PLATFORM.glob(pattern)]
    names = [f"tests/{path}" for path in found if without not in path.name]
    return [name for name in names if (project / name).exists()]


def test_their_types_are_right(installed: Callable[..., Path], project: Path) -> None:
    home = installed("adaptable")

    in_place_of(home, project, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")


@pytest.mark.parametrize("slow", [True, False], ids=["with processes", "the rest"])
def test_they_pass(installed: Callable[..., Path], project: Path, slow: bool) -> None:
    """Those that start processes wait for them, and the others are run meanwhile."""
    chosen = names(project, "kit/test_*.py", without="sql_async")
    chosen.remove("tests/kit/test_mongodb_revisions.py")
    chosen += names(project, "notes/test_*.py", without="mongodb")
    with_processes = {f"tests/kit/test_{name}.py" for name in WITH_PROCESSES}
    assert with_processes <= {*chosen}
    chosen = [name for name in chosen if (name in with_processes) == slow]

    in_place_of(installed("adaptable"), project, "sqlite", "pytest", *chosen)


def test_answers_are_the_same_without_the_fast_path(
    installed: Callable[..., Path], tmp_path: Path
) -> None:
    home = installed("sqlite")
    project = copy_of(home, tmp_path / "project")
    module = project / "src/app/kit/application.py"
    text = module.read_text()
    without = [
        line for line in text.splitlines(keepends=True) if "Middleware(FastPath)" not in line
    ]
    module.write_text("".join(without))

    assert len(without) == len(text.splitlines()) - 1
    in_place_of(home, project, "sqlite", "pytest", *ON_HTTP)


@pytest.mark.parametrize("engine", SERVERS)
def test_those_of_storage_pass_on_each_server(
    installed: Callable[..., Path], project: Path, engine: str
) -> None:
    other = "_sql_" if engine == "mongodb" else "mongodb"
    chosen = names(project, *ON_EACH_ENGINE, without=other)

    in_place_of(installed("adaptable"), project, engine, "pytest", *chosen)


def test_those_of_an_issuer_pass(installed: Callable[..., Path], tmp_path: Path) -> None:
    home = installed("sqlite", "oidc")
    folder = copy_of(home, tmp_path / "project")
    for name in OF_AN_ISSUER:
        shutil.copy(PLATFORM / name, folder / "tests" / name)

    in_place_of(home, folder, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")
    in_place_of(home, folder, "sqlite", "pytest", *(f"tests/{name}" for name in OF_AN_ISSUER))
