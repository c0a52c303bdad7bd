"""What docs/fleet.md tells those who have many projects to do."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, VARIANTS, commit, environment, git, render, tree

GUIDE = (ROOT / "docs/fleet.md").read_text()


def bash(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", script]
    shell = environment("sqlite") | variables
    return subprocess.run(command, cwd=folder, env=shell, capture_output=True, text=True)


def block(containing: str) -> str:
    """Return the code of the guide that has a text in it."""
    (found,) = [b for b in re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL) if containing in b]
    return str(found)


def test_the_matrix_is_generated_without_being_asked(template: Path, tmp_path: Path) -> None:
    run = bash(block("--data-file"), tmp_path, TEMPLATE=str(template))

    assert run.returncode == 0, run.stdout + run.stderr
    assert {folder.name for folder in (tmp_path / "out").iterdir()} == set(VARIANTS)


def test_an_answer_that_copier_ignores_is_noticed(template: Path, tmp_path: Path) -> None:
    script = block("--data-file").replace("database: $", "databse: $")

    run = bash(script, tmp_path, TEMPLATE=str(template))

    assert run.returncode == 1
    assert run.stdout == "databse: sqlite\n"


@pytest.fixture
def service(releases: Path, installed: Callable[[str], Path], tmp_path: Path) -> Path:
    """A project that is a release behind, cloned from where its owners keep it."""
    render(releases, "sqlite", tmp_path / "made", "v999.0.0")
    shutil.copy(installed("sqlite") / "uv.lock", tmp_path / "made")
    commit(tmp_path / "made", "Locked")
    git(tmp_path, "clone", "--quiet", "--bare", "made", "remote")
    git(tmp_path, "clone", "--quiet", "remote", "service")
    return tmp_path / "service"


def test_the_workflow_opens_a_pull_request_once(
    releases: Path, service: Path, tmp_path: Path
) -> None:
    workflow = yaml.safe_load((service / ".github/workflows/update.yml").read_text())
    step = workflow["jobs"]["update"]["steps"][-1]
    github = tmp_path / "bin/gh"
    github.parent.mkdir()
    github.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    github.chmod(0o755)
    path, remote = f"{github.parent}:{os.environ['PATH']}", str(tmp_path / "remote")

    for _ in range(2):
        run = bash(step["run"], service, PATH=path, REMOTE=remote, BRANCH=step["env"]["BRANCH"])
        assert run.returncode == 0, run.stdout + run.stderr

    assert (tmp_path / "asked").read_text() == "pr create --fill --head template-update\n"
    git(service, "fetch", "--quiet", remote, "template-update")
    git(service, "checkout", "--quiet", "FETCH_HEAD")
    render(releases, "sqlite", tmp_path / "wanted")
    brought = tree(service)
    assert b"packaging" in brought.pop("uv.lock")
    assert brought == tree(tmp_path / "wanted")
