"""The project's commands, in a folder and in a shell that make it hard for them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, Made, commit, environment, git, render
from next_release import NEXT

OF_OTHERS = {
    "UV_PROJECT_ENVIRONMENT": "/nowhere",
    "UV_PROJECT": "/nowhere",
    "UV_PYTHON": "2.7",
    "UV_FROZEN": "1",
    "UV_NO_SYNC": "1",
    "UV_NO_DEV": "1",
    "PIP_TARGET": "/nowhere",
    "PIP_USER": "1",
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "PYTHONINSPECT": "1",
    "MYPYPATH": "/nowhere",
    "RUFF_CONFIG": "/nowhere",
    "PYTEST_PLUGINS": "nowhere",
    "VIRTUAL_ENV": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere",
    "GIT_OBJECT_DIRECTORY": "/nowhere",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "color.ui",
    "GIT_CONFIG_VALUE_0": "always",
    "GIT_CONFIG_KEY_1": "diff.noprefix",
    "GIT_CONFIG_VALUE_1": "true",
    "GIT_CONFIG_KEY_2": "core.bigFileThreshold",
    "GIT_CONFIG_VALUE_2": "1",
    "GIT_DEFAULT_HASH": "sha256",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_EXTERNAL_DIFF": "false",
    "FORMAT": "xml",
    "TEMPLATE": "/nowhere",
    "FILE": "/nowhere",
    "m": "nothing",
    "DATABASE": "none",
    "COLUMNS": "9",
    "FORCE_COLOR": "1",
    "LC_ALL": "C",
    "TZ": "America/St_Johns",
    "CDPATH": "/",
    "PYTHONUTF8": "0",
}
"""What a shell may export for other projects and repositories."""

SETTINGS = {
    "AUTH_TOKENS": "none",
    "CORS_ORIGINS": "none",
    "LOG_LEVEL": "NONE",
    "OTEL_PROPAGATORS": "none of them",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "PROMETHEUS_MULTIPROC_DIR": "/nowhere",
    "SSL_CERT_FILE": "/nowhere",
    "DATABASE_URL": "postgresql://nowhere",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}
"""What it may export for a service, or for what is elsewhere."""

NAME = 'it\'s 50% #1 $HOME ünï "q" & [x]'


def make(project: Path, shell: dict[str, str], *words: str) -> str:
    """Return what a target prints."""
    run = subprocess.run(["make", *words], cwd=project, env=shell, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_everything_works_in_any_folder_and_any_shell(
    releases: Path, installed: Made, tmp_path: Path
) -> None:
    project, home = tmp_path / NAME, installed("sqlite")
    render(releases, "sqlite", project, "v999.0.0")
    shutil.copy(home / "uv.lock", project)
    commit(project, "Locked")
    elsewhere = {"GIT_DIR": f"{releases}/.git", "GIT_WORK_TREE": str(releases)}
    shell = environment("sqlite") | OF_OTHERS | elsewhere
    tests = SETTINGS | {"PYTEST_ADDOPTS": "tests/kit/test_cli.py"}

    make(project, shell, "seed", "dump", "load")
    dump = project / "dump.ndjson"
    make(project, shell, "migration", 'm="$x" `tags`')
    make(project, shell | tests, "test")

    assert dump.read_text().count("\n") > 3
    assert len([*project.glob("src/app/migrations/sql/versions/*tags*.py")]) == 1
    dump.unlink()
    errors = project / "src/app/errors.py"
    errors.write_text(errors.read_text() + "# Mine.\n")
    commit(project, "Begun")
    assert NEXT in make(project, shell, "outdated")
    assert NEXT in make(project, shell, "update", "DRY_RUN=1")
    assert git(project, "status", "--porcelain") == ""
    assert NEXT in make(project, shell, "update")
    assert errors.read_text().endswith("# Mine.\n")
    assert git(releases, "status", "--porcelain") == ""


def test_making_everything_anew_keeps_the_settings(installed: Made, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("Makefile", ".env.example"):
        shutil.copy(installed("sqlite") / name, project)
    (project / ".env").write_text("mine")

    subprocess.run(["make", "--always-make", ".env"], cwd=project, check=True)

    assert (project / ".env").read_text() == "mine"


@pytest.mark.parametrize("target", ["migration", "switch"])
def test_what_a_target_is_given_is_not_taken_from_the_shell(installed: Made, target: str) -> None:
    shell = environment("sqlite") | {"m": "tags", "DATABASE": "postgres"}

    run = subprocess.run(
        ["make", target], cwd=installed("sqlite"), env=shell, capture_output=True, text=True
    )

    assert run.returncode == 2
    assert "Say wh" in run.stderr


@pytest.mark.parametrize("target", ["feature", "remove", "update", "answer", "switch"])
def test_a_dry_run_is_asked_for_before_make_or_after_it(
    rendered: Made, tmp_path: Path, target: str
) -> None:
    """What the tools do with the variable is tested with each; here it is given to another one."""
    shutil.copy(rendered("sqlite") / "Makefile", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text('#!/bin/sh\necho "$DRY_RUN"\n')
    python.chmod(0o755)
    command = ["--silent", "--assume-old=.venv/ready", target, "DATABASE=postgres"]

    asked = [
        make(tmp_path, environment("sqlite") | {"DRY_RUN": "1"}, *command),
        make(tmp_path, environment("sqlite"), *command, "DRY_RUN=1"),
        make(tmp_path, environment("sqlite"), *command),
    ]

    assert asked == ["1\n", "1\n", "\n"]


def test_the_lists_of_what_counts_are_the_same_for_the_template() -> None:
    texts = [(ROOT / name).read_text() for name in ("Makefile", "template/Makefile.jinja")]
    kept = [text[text.index("KEPT :=") : text.index("TOOLS :=")] for text in texts]

    assert kept[0] == kept[1]
