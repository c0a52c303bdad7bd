"""Taking a newer version of the template into a project."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import (
    RELEASES,
    Made,
    Run,
    Tool,
    commit,
    environment,
    git,
    in_place_of,
    render,
    run_tests,
    tree,
)
from next_release import CHANGES, NEXT, REMOVED
from owner import LINES, live_in, names_of_tests

COPIER = Path(sys.executable).with_name("copier")

from_every_release = pytest.mark.parametrize("version", RELEASES)


@from_every_release
@pytest.mark.parametrize("database", ["sqlite", "adaptable"])
def test_an_untouched_project_becomes_like_a_new_one(
    releases: Path,
    renewed: Made,
    tmp_path: Path,
    tool: Tool,
    capfd: pytest.CaptureFixture[str],
    version: str,
    database: str,
) -> None:
    """The default, and the one with every file; below, the others, and edited besides."""
    render(releases, database, tmp_path, version)

    assert tool(tmp_path, "update") == 0

    assert capfd.readouterr().out.startswith(f"Updated from {version} to {NEXT}.\n")
    assert tree(tmp_path) == tree(renewed(database))


def test_copier_updates_a_project_by_itself(releases: Path, renewed: Made, tmp_path: Path) -> None:
    render(releases, "sqlite", tmp_path, "v999.0.0")

    subprocess.run([COPIER, "update", "--defaults", "--quiet"], cwd=tmp_path, check=True)

    assert tree(tmp_path) == tree(renewed("sqlite"))


@from_every_release
def test_an_update_loses_nothing_of_the_owners_and_all_passes(
    releases: Path,
    renewed: Made,
    installed: Made,
    tmp_path: Path,
    run: Run,
    version: str,
    database: str,
) -> None:
    """Tests that start processes are left out: they would run the variant's own code instead."""
    home, project, wanted = installed(database), tmp_path / "project", tmp_path / "wanted"
    render(releases, database, project, version)
    live_in(project, database, run)
    commit(project, "Lived in")
    by_hand = {name: text for name, text in tree(project).items() if "/shelves/" in name}

    done = run(project, "update", tool="template")

    assert (done.returncode, done.stderr) == (0, "")
    live_in(shutil.copytree(renewed(database), wanted), database, run)
    for path in wanted.glob("src/app/migrations/sql/versions/0002_*.py"):
        path.write_text(path.read_text().replace('"0001"', f'"{LINES["sql"][-1]}"'))
    for path in wanted.glob("src/app/migrations/mongodb/versions/0002_nothing.py"):
        path.rename(path.with_name("0005_nothing.py"))
    assert tree(project) == tree(wanted) | by_hand
    names = ["notes/test_notes", *names_of_tests(database)]
    run_tests(installed("adaptable"), project, database, *names)
    if database == "adaptable":  # It has every file of the others.
        for command in (
            "ruff format --check",
            "ruff check",
            f"mypy --cache-dir={home}/.mypy_cache .",
        ):
            in_place_of(home, project, database, *command.split())


@from_every_release
def test_a_conflict_is_marked_named_and_exit_code_1(
    releases: Path, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str], version: str
) -> None:
    render(releases, "sqlite", tmp_path, version)
    readme = tmp_path / "README.md"
    old, new = CHANGES["README.md.jinja"]
    readme.write_text(readme.read_text().replace(old, "Mine."))
    commit(tmp_path, "Edited")

    assert tool(tmp_path, "update") == 1

    assert "resolve in:\n    README.md\n" in capfd.readouterr().out
    merged = readme.read_text()
    assert re.search(f"<<<<<<< .*\n.*Mine.*\n=======\n.*{new}.*\n>>>>>>> ", merged)
    assert git(tmp_path, "diff", "--name-only", "--diff-filter=U") == "README.md\n"


def test_a_removed_file_with_edits_is_kept_and_named(
    releases: Path, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    render(releases, "sqlite", tmp_path, "v999.0.0")
    with (tmp_path / REMOVED).open("a") as file:
        file.write("!docs\n")
    text = (tmp_path / REMOVED).read_text()
    commit(tmp_path, "Edited")

    assert tool(tmp_path, "update") == 0

    assert f"copies are in:\n    saved/{REMOVED}.saved\n" in capfd.readouterr().out
    assert not (tmp_path / REMOVED).exists()
    assert (tmp_path / f"saved/{REMOVED}.saved").read_text() == text


def test_work_that_is_not_committed_stops_an_update_in_one_line(
    releases: Path, tmp_path: Path, tool: Tool
) -> None:
    render(releases, "sqlite", tmp_path, "v999.0.0")
    (tmp_path / "mine.txt").write_text("Mine.")

    assert "not committed" in str(tool(tmp_path, "update"))

    assert git(tmp_path, "status", "--porcelain") == "?? mine.txt\n"


def test_a_project_without_git_is_refused_in_one_line(
    releases: Path, tmp_path: Path, tool: Tool
) -> None:
    render(releases, "sqlite", tmp_path, "v999.0.0")
    (tmp_path / ".git").rename(tmp_path / "elsewhere")

    error = str(tool(tmp_path, "update"))

    assert "git" in error
    assert "\n" not in error


def test_a_project_of_the_newest_version_is_up_to_date(
    rendered: Made, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")

    assert tool(project, "update") == 0

    assert capfd.readouterr().out == "The project is up to date: v999.0.0.\n"


def test_make_runs_the_tool_in_the_projects_own_environment(installed: Made) -> None:
    switch = ["make", "switch", "DATABASE=sqlite"]
    shell = environment("sqlite")

    refused = subprocess.run(switch, cwd=installed("sqlite"), env=shell, capture_output=True)

    assert b"database is sqlite already" in refused.stderr
    assert refused.returncode
