"""Every variant, in its own environment and on its own database server, by its own commands."""

import subprocess
from pathlib import Path

import pytest

from conftest import environment, git


def make(project: Path, database: str, *targets: str) -> None:
    run = subprocess.run(
        ["make", *targets], cwd=project, env=environment(database), capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_formatting_changes_nothing(project: Path, database: str) -> None:
    make(project, database, "format")

    assert git(project, "status", "--porcelain", "--", ":!uv.lock") == ""


def test_lint_and_strict_types_pass(project: Path, database: str) -> None:
    make(project, database, "check")


def test_its_own_tests_pass(project: Path, database: str) -> None:
    make(project, database, "test")


@pytest.mark.parametrize("target", ["help", "setup"])
def test_commands_need_nothing_but_the_project(project: Path, database: str, target: str) -> None:
    make(project, database, target)


def test_a_wheel_has_the_migrations(project: Path, database: str, tmp_path: Path) -> None:
    """The service runs from an installed wheel, without its source."""
    uv = ["uv", "--quiet"]
    subprocess.run([*uv, "build", "--wheel", "--out-dir", tmp_path], cwd=project, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    listing = subprocess.run(
        ["python", "-m", "zipfile", "--list", wheel], check=True, capture_output=True, text=True
    ).stdout

    for name in ("env.py", "script.py.mako", "versions/0001_notes.py"):
        assert f"app/migrations/sql/{name}" in listing


@pytest.mark.parametrize(
    "check",
    [
        ["check-jsonschema", "--builtin-schema=vendor.compose-spec", "compose.yaml"],
        ["hadolint", "Dockerfile"],
    ],
    ids=["compose file", "Dockerfile"],
)
def test_container_files_pass_their_linter(project: Path, check: list[str]) -> None:
    run = subprocess.run(check, cwd=project, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout + run.stderr
