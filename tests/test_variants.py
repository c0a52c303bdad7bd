"""Every variant, in its own environment and on its own database server, by its own commands."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from conftest import SERVERS, VARIANTS, environment, git


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


@pytest.mark.parametrize(
    ("variant", "engine"),
    [
        pytest.param(variant, engine, marks=pytest.mark.xdist_group(f"{variant} on {engine}"))
        for variant in VARIANTS
        for engine in ("sqlite", *SERVERS)
        if variant in (engine, "adaptable")
    ],
)
def test_its_own_tests_pass(rendered: Callable[[str], Path], variant: str, engine: str) -> None:
    make(rendered(variant), engine, "test")


@pytest.mark.parametrize("target", ["help", "setup"])
def test_commands_need_nothing_but_the_project(project: Path, database: str, target: str) -> None:
    make(project, database, target)


def test_a_wheel_has_the_migrations(project: Path, database: str, tmp_path: Path) -> None:
    """The service runs from an installed wheel, without its source."""
    build = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path)]
    subprocess.run(build, cwd=project, env=environment(database), check=True)
    (wheel,) = tmp_path.glob("*.whl")

    packed = {name for name in ZipFile(wheel).namelist() if "/migrations/" in name}

    kept = (project / "src").rglob("migrations/**/*.*")
    assert packed == {str(p.relative_to(project / "src")) for p in kept if p.suffix != ".pyc"}


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
