"""The platform's tests that only a change of the platform can break; projects go without them.

To try one, copy tests/platform into an adaptable project's tests, and run it there:

    cp -r tests/platform/. PROJECT/tests && cd PROJECT && .venv/bin/pytest tests/kit/test_framing.py
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, SERVERS, in_place_of

PLATFORM = ROOT / "tests/platform"
ON_EACH_ENGINE = ("kit/test_fields.py", "kit/test_sql_*.py", "notes/test_*.py")


@pytest.fixture(scope="module")
def project(
    installed: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Path]:
    """Return the folder of a project that has these tests as well, and the environment's."""

    def made(database: str, auth: str) -> Path:
        folder = tmp_path_factory.mktemp("platform") / "project"
        hidden = shutil.ignore_patterns("*oidc*" if auth == "token" else "*token*", "__pycache__")
        shutil.copytree(
            installed(database, auth), folder, ignore=shutil.ignore_patterns(".*", "__pycache__")
        )
        shutil.copytree(PLATFORM, folder / "tests", ignore=hidden, dirs_exist_ok=True)
        return folder

    return made


def names(folder: Path, *patterns: str, without: str) -> list[str]:
    """Return the platform's tests in a project, except those with a word in their names."""
    found = [p.relative_to(PLATFORM) for pattern in patterns for p in PLATFORM.glob(pattern)]
    names = [f"tests/{path}" for path in found if without not in path.name]
    return [name for name in names if (folder / name).exists()]


def test_they_pass(installed: Callable[..., Path], project: Callable[[str, str], Path]) -> None:
    home, folder = installed("adaptable"), project("adaptable", "token")

    in_place_of(home, folder, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")
    chosen = names(folder, "kit/test_*.py", without="sql_async")
    chosen += names(folder, "notes/test_*.py", without="mongodb")
    in_place_of(home, folder, "sqlite", "pytest", *chosen)


@pytest.mark.parametrize("engine", SERVERS)
def test_those_of_storage_pass_on_each_server(
    installed: Callable[..., Path], project: Callable[[str, str], Path], engine: str
) -> None:
    folder = project("adaptable", "token")
    other = "_sql_" if engine == "mongodb" else "mongodb"

    in_place_of(
        installed("adaptable"),
        folder,
        engine,
        "pytest",
        *names(folder, *ON_EACH_ENGINE, without=other),
    )


def test_those_of_an_issuer_pass(
    installed: Callable[..., Path], project: Callable[[str, str], Path]
) -> None:
    home, folder = installed("sqlite", "oidc"), project("sqlite", "oidc")

    in_place_of(home, folder, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")
    in_place_of(home, folder, "sqlite", "pytest", "tests/kit/test_auth_oidc.py")
