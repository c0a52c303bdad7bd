"""The example can be deleted: what is left is a service, and its platform's tests pass."""

import json
import shutil
from pathlib import Path

import pytest

from conftest import Made, in_place_of

EXAMPLE = ("src/app/notes", "tests/notes", "src/app/migrations")
OF_THE_ENGINE = ["cli", "http", "dump"]


def without_example(project: Path, folder: Path) -> Path:
    """Return a copy of a project, with nothing of notes."""
    bare = shutil.copytree(project, folder / "bare")
    for name in EXAMPLE:
        shutil.rmtree(bare / name)
    return bare


@pytest.fixture(scope="module")
def bare(rendered: Made, database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of each variant without the example."""
    return without_example(rendered(database), tmp_path_factory.mktemp(database))


def test_the_rest_passes_its_checks(installed: Made, database: str, bare: Path) -> None:
    home = installed(database)

    in_place_of(home, bare, database, "ruff", "format", "--check")
    in_place_of(home, bare, database, "ruff", "check")
    in_place_of(home, bare, database, "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")


def test_the_rest_passes_its_tests(installed: Made, database: str, bare: Path) -> None:
    """All of them on SQLite, elsewhere those in which the engine counts."""
    kind = "mongodb" if database == "mongodb" else "sql"
    chosen = [f"tests/kit/test_{name}.py" for name in (*OF_THE_ENGINE, f"{kind}_migrations")]
    if database == "sqlite":
        chosen = []
    engine = "sqlite" if database == "adaptable" else database

    in_place_of(installed(database), bare, engine, "pytest", *chosen)


def test_a_service_without_features_has_its_commands(
    rendered: Made, installed: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = without_example(rendered("sqlite"), tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")

    def app(*arguments: str) -> str:
        code = "from app.cli import main; main()"
        return in_place_of(installed("sqlite"), bare, "sqlite", "python", "-c", code, *arguments)

    for arguments in (["migrate"], ["migrate", "--check"], ["seed"]):
        assert app(*arguments) == ""
    assert set(json.loads(app("openapi"))["paths"]) == {"/health/live", "/health/ready"}
