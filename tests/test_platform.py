"""The platform's tests that only a change of the platform can break; projects go without them.

To try one, copy tests/platform into an adaptable project's tests, and run it there:

    cp -r tests/platform/. PROJECT/tests && cd PROJECT && .venv/bin/pytest tests/kit/test_framing.py
"""

import shutil
from pathlib import Path

import pytest

from conftest import ROOT, SERVERS, Made, in_place_of

PLATFORM = ROOT / "tests/platform"


@pytest.fixture(scope="module")
def project(rendered: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an adaptable project that has these tests as well."""
    folder = tmp_path_factory.mktemp("platform") / "project"
    shutil.copytree(rendered("adaptable"), folder)
    shutil.copytree(PLATFORM, folder / "tests", dirs_exist_ok=True)
    return folder


def names(folder: str, other_kind: str) -> list[str]:
    """Return the tests of a folder, except those of another kind of database."""
    found = PLATFORM.glob(f"{folder}/test_*.py")
    return [f"tests/{p.relative_to(PLATFORM)}" for p in found if other_kind not in p.name]


def test_they_pass(installed: Made, project: Path) -> None:
    home = installed("adaptable")

    in_place_of(home, project, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")
    chosen = names("kit", "-") + names("notes", "mongodb")
    in_place_of(home, project, "sqlite", "pytest", *chosen)


@pytest.mark.parametrize("engine", SERVERS)
def test_those_of_notes_pass_on_each_server(installed: Made, project: Path, engine: str) -> None:
    chosen = names("notes", "sql" if engine == "mongodb" else "mongodb")

    in_place_of(installed("adaptable"), project, engine, "pytest", *chosen)
