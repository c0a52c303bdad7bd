"""A project without the example: what is left is a service, and its tests pass."""

import json
import re
import shutil
from pathlib import Path

import pytest

from conftest import Made, Run, Tool, commit, in_place_of, render, run_tests, tree
from made_once import once
from next_release import NEXT

OF_THE_ENGINE = ["cli", "http"]
VERSIONS = "src/app/migrations/"


@pytest.fixture(scope="session")
def without(template: Path, shared: Path) -> Made:
    """Return the folder of a variant without the example; nobody changes it."""
    return lambda database: once(
        shared / f"without-{database}",
        lambda folder: render(template, database, folder, example="none"),
    )


def test_the_rest_passes_its_checks(installed: Made, database: str, without: Made) -> None:
    home, bare = installed(database), without(database)

    in_place_of(home, bare, database, "ruff", "format", "--check")
    in_place_of(home, bare, database, "ruff", "check")
    in_place_of(home, bare, database, "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")


def test_nothing_is_named_after_the_example(database: str, without: Made) -> None:
    """The tools may name it; the project is called Team Notes.

    The file in compose.yaml keeps its name: with another one, an update would begin with no data.
    """
    named = re.compile(rb"(?<!team.)(?<!/data/)\bnotes?\b")
    texts = {name: text for name, text in tree(without(database)).items() if "tools/" not in name}

    assert [name for name, text in texts.items() if named.search(text)] == []


def test_the_rest_passes_its_tests(installed: Made, database: str, without: Made) -> None:
    """All of them on SQLite, elsewhere those in which the engine counts."""
    kind = "mongodb" if database == "mongodb" else "sql"
    home, bare = installed(database), without(database)
    if database == "sqlite":
        in_place_of(home, bare, database, "pytest")
    else:
        engine = "sqlite" if database == "adaptable" else database
        chosen = [f"kit/test_{name}" for name in (*OF_THE_ENGINE, f"{kind}_migrations")]
        run_tests(installed("adaptable"), bare, engine, *chosen)


def test_a_service_without_features_has_its_commands(
    without: Made, installed: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")

    answers = (without("sqlite") / ".copier-answers.yml").read_text()

    def app(*arguments: str) -> str:
        code = "from app.cli import main; main()"
        command = ["python", "-c", code, *arguments]
        return in_place_of(installed("adaptable"), without("sqlite"), "sqlite", *command)

    assert "description: A REST service.\n" in answers
    assert "Notes and comments over HTTP." in app("--help")  # Of the package that is installed.
    for arguments in (["migrate"], ["migrate", "--check"], ["seed"]):
        assert app(*arguments) == ""
    assert set(json.loads(app("openapi"))["paths"]) == {"/health/live", "/health/ready"}


def test_what_is_left_when_the_example_is_removed_is_a_project_without_it(
    template: Path, rendered: Made, installed: Made, tmp_path: Path, run: Run
) -> None:
    answers = {"example": "none", "description": "Notes and comments over HTTP."}
    render(template, "adaptable", tmp_path / "without", **answers)
    project = shutil.copytree(rendered("adaptable"), tmp_path / "project")
    before = tree(project)

    dry = run(project, "remove", NAME="notes", DRY_RUN="1")
    assert (dry.returncode, tree(project)) == (0, before), dry.stderr
    done = run(project, "remove", NAME="notes")

    assert done.returncode == 0, done.stderr
    after = tree(project)
    revisions = {name for name in after if name.startswith(VERSIONS)}
    assert revisions - before.keys() == {n for n in revisions if n.endswith("_remove_notes.py")}
    assert {n: t for n, t in after.items() if n not in revisions} == tree(tmp_path / "without")
    run_tests(installed("adaptable"), project, "sqlite", "kit/test_sql_migrations")
    in_place_of(installed("adaptable"), project, "sqlite", "ruff", "check")


def test_the_example_in_use_is_not_removed(rendered: Made, tmp_path: Path, run: Run) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")
    assert run(project, "make", NAME="tags", FIELDS="note:ref(notes)").returncode == 0

    done = run(project, "remove", NAME="notes")

    assert (done.returncode, done.stderr) == (
        1,
        "Error: notes: tags refers to it; remove that first\n",
    )


@pytest.mark.parametrize("is_removed", [False, True], ids=["from the start", "removed"])
def test_no_release_brings_revisions_of_the_example(
    releases: Path, tmp_path: Path, run: Run, tool: Tool, is_removed: bool
) -> None:
    answer = {} if is_removed else {"example": "none"}
    render(releases, "sqlite", tmp_path, "v999.0.0", **answer)
    if is_removed:
        assert run(tmp_path, "remove", NAME="notes").returncode == 0
    before = {name for name in tree(tmp_path) if "notes" in name or name.startswith(VERSIONS)}

    assert tool(tmp_path, "update") == 0

    commit(tmp_path, "Updated")
    assert NEXT in (tmp_path / ".copier-answers.yml").read_text()
    after = {name for name in tree(tmp_path) if "notes" in name or name.startswith(VERSIONS)}
    assert after == before


def test_the_answer_is_changed_by_removing_it(rendered: Made, tmp_path: Path, tool: Tool) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")
    refused = str(tool(project, "answer", "example=none"))
    assert "`make remove NAME=notes` takes it out" in refused
