"""Callers have only their own notes, once docs/authenticate.md was followed to the letter."""

import re
import shutil
from pathlib import Path

import pytest

from conftest import ROOT, Made, in_place_of, run_tests
from made_once import once

GUIDE = ROOT / "docs/authenticate.md"
FILES_AND_CHANGES = re.compile(r"^`((?:src|tests)/\S+)`|^```diff\n(.*?)^```", re.M | re.S)
CODE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def section() -> str:
    """Return the section about notes of one's own."""
    return GUIDE.read_text().partition("## My notes only\n")[2].partition("\n## ")[0]


def follow(project: Path) -> None:
    """Make each change of the section in the file named before it, if the project has that file."""
    path = project
    for name, change in FILES_AND_CHANGES.findall(section()):
        path = project / name if name else path
        if change and path.exists():
            lines = change.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] != "+")
            new = "".join(line[1:] for line in lines if line[0] != "-")
            content = path.read_text()
            assert content.count(old) == 1, f"{path}: {old}"
            path.write_text(content.replace(old, new))


@pytest.fixture(scope="session")
def project(rendered: Made, installed: Made, shared: Path) -> Path:
    """The folder of an adaptable project for which the section was followed."""

    def make(project: Path) -> None:
        shutil.copytree(rendered("adaptable"), project)
        follow(project)
        revision, test = CODE.findall(section())
        (project / "tests/test_own_notes.py").write_text(test)
        (project / "src/app/migrations/mongodb/versions/0002_owner.py").write_text(revision)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", f"sqlite:///{shared / 'own-app.db'}")
            for command in (
                "app migrate",
                "alembic revision --autogenerate -m=owner",
                "ruff format src/app/migrations",
            ):
                in_place_of(installed("adaptable"), project, "sqlite", *command.split())

    return once(shared / "own-notes", make)


def test_the_code_passes_its_checks(installed: Made, project: Path) -> None:
    home = installed("adaptable")

    in_place_of(home, project, "sqlite", "ruff", "format", "--check")
    in_place_of(home, project, "sqlite", "ruff", "check")
    in_place_of(home, project, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")


@pytest.mark.parametrize("engine", ["sqlite", "mongodb"])
def test_callers_have_only_notes_of_their_own(installed: Made, project: Path, engine: str) -> None:
    kind = "mongodb" if engine == "mongodb" else "sql"
    names = ["test_own_notes", "notes", f"kit/test_{kind}_migrations"]

    run_tests(installed("adaptable"), project, engine, *names)
