"""Every variant, in its own environment and on its own database server, by its own commands."""

import re
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from conftest import SERVERS, VARIANTS, Made, environment, git, in_place_of, run_tests

COMPOSE = ["--builtin-schema", "vendor.compose-spec"]


@pytest.fixture(scope="session")
def home(installed: Made, database: str) -> Path:
    """The folder of each variant, with its environment."""
    return installed(database)


def make(project: Path, engine: str, *targets: str) -> None:
    run = subprocess.run(
        ["make", *targets], cwd=project, env=environment(engine), capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


ASKING_NO_DATABASE = ["auth", "docs", "errors", "fastapi", "imports"]


def test_its_own_tests_pass(installed: Made) -> None:
    make(installed("sqlite"), "sqlite", "test")


@pytest.mark.parametrize("engine", SERVERS)
def test_its_own_tests_pass_on_its_server(installed: Made, engine: str) -> None:
    """Those in which the engine counts: the others ask the same of the same files as above."""
    ignored = [f"--ignore=tests/kit/test_{name}.py" for name in ASKING_NO_DATABASE]
    in_place_of(installed(engine), installed(engine), engine, "pytest", *ignored)


@pytest.mark.parametrize("engine", ["sqlite", *SERVERS])
def test_the_adaptable_service_passes_those_of_its_contract(installed: Made, engine: str) -> None:
    """On each engine; what else it has are the files of the other variants."""
    project = installed("adaptable")
    run_tests(project, project, engine, "notes")


def test_lint_and_strict_types_pass_before_a_commit(
    home: Path, database: str, tmp_path: Path
) -> None:
    """The hook runs `make check`."""
    run = subprocess.run(
        ["pre-commit", "run", "--all-files"],
        cwd=home,
        env=environment(database) | {"PRE_COMMIT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"format, lint and types\.+Passed", run.stdout)


def test_formatting_changes_nothing(home: Path, database: str) -> None:
    make(home, database, "format")

    assert git(home, "status", "--porcelain") == ""


@pytest.mark.parametrize("target", ["help", "setup"])
def test_commands_need_nothing_but_the_project(home: Path, database: str, target: str) -> None:
    make(home, database, target)


def test_git_ignores_no_file_that_was_generated(project: Path) -> None:
    assert git(project, "status", "--porcelain", "--ignored") == ""


def test_a_wheel_has_the_migrations(home: Path, database: str, tmp_path: Path) -> None:
    """The service runs from an installed wheel, without its source."""
    build = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path)]
    subprocess.run(build, cwd=home, env=environment(database), check=True)
    (wheel,) = tmp_path.glob("*.whl")

    packed = set(ZipFile(wheel).namelist())

    revisions = [name for name in git(home, "ls-files").splitlines() if "/migrations/" in name]
    assert {name.removeprefix("src/") for name in revisions} <= packed


@pytest.mark.parametrize(
    "check",
    [
        ["check-jsonschema", *COMPOSE, "compose.yaml"],
        ["check-jsonschema", *COMPOSE, ".devcontainer/compose.yaml"],
        ["hadolint", "Dockerfile"],
    ],
    ids=["compose file", "dev container", "Dockerfile"],
)
def test_container_files_pass_their_linter(project: Path, check: list[str]) -> None:
    run = subprocess.run(check, cwd=project, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_document_is_the_same_whatever_the_engine(installed: Made) -> None:
    def document(variant: str) -> str:
        return in_place_of(installed(variant), installed(variant), variant, "app", "openapi")

    assert len({document(variant) for variant in VARIANTS}) == 1


def test_a_dump_and_the_answers_stay_the_same_from_engine_to_engine(
    installed: Made, tmp_path: Path
) -> None:
    """The adaptable service has them, from files that are those of the other variants."""
    project, dump = installed("adaptable"), tmp_path / "dump"
    answers = {}
    for engine in ("sqlite", *SERVERS):
        run = subprocess.run(
            [".venv/bin/python", Path(__file__).with_name("answers.py"), dump],
            cwd=project,
            env=environment(engine) | {"PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        answers[engine] = run.stdout.splitlines()

    assert dump.read_bytes().count(b"\n") > 5
    assert len(answers["sqlite"]) > 200
    for engine in SERVERS:
        assert answers[engine] == answers["sqlite"]
