"""`make release`: what it asks, and what it prepares, on a clone of this repository."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from conftest import ROOT, commit, files, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """This repository with a release, and something new after it."""
    folder = tmp_path / "repository"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "repository")
    for name in files(ROOT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    for name, value in {"name": "test", "email": "test@example.invalid"}.items():
        git(folder, "config", f"user.{name}", value)
    changelog = folder / "CHANGELOG.md"
    before, rest = changelog.read_text().split("## Unreleased\n", 1)
    changelog.write_text(f"{before}## Unreleased\n\n### Added\n\n- A bell.\n\n## 1.2.0\n{rest}")
    commit(folder, "Begin")
    git(folder, "tag", "v1.2.0")
    return folder


def release(repository: Path, version: str, tests: int = 0) -> subprocess.CompletedProcess[str]:
    """Run tools/release.py with a `make` that only says what it was asked for."""
    make = repository.parent / "bin/make"
    make.parent.mkdir(exist_ok=True)
    make.write_text(f'#!/bin/sh\necho "$@" >>{repository.parent}/made\nexit {tests}\n')
    make.chmod(0o755)
    elsewhere = {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere", "VERSION": version}
    return subprocess.run(
        [sys.executable, repository / "tools/release.py"],
        env=os.environ | elsewhere | {"PATH": f"{make.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


def test_a_release_is_tested_committed_and_tagged_with_its_notes(repository: Path) -> None:
    run = release(repository, "1.3.0")

    assert run.returncode == 0, run.stderr
    assert (repository.parent / "made").read_text() == "check test\n"
    assert "git push origin main v1.3.0`" in run.stdout
    notes = "### Added\n\n- A bell."
    text = git(repository, "show", "v1.3.0:CHANGELOG.md")
    assert f"\n## Unreleased\n\n## 1.3.0 ({date.today()})\n\n{notes}\n\n## 1.2.0\n" in text
    assert git(repository, "tag", "--list", "--format=%(contents)", "v1.3.0").strip() == (
        f"v1.3.0\n\n{notes}"
    )
    assert git(repository, "status", "--porcelain") == ""
    nothing = "CHANGELOG.md says nothing in its section Unreleased.\n"
    assert release(repository, "1.3.1").stderr == nothing
    back = run.stdout.partition("To go back instead: `")[2].partition("`")[0]
    subprocess.run(["bash", "-euc", back], cwd=repository, check=True)
    assert git(repository, "describe", "--tags") == "v1.2.0\n"


def test_a_release_that_does_not_pass_its_tests_is_none(repository: Path) -> None:
    run = release(repository, "1.3.0", tests=1)

    assert run.stderr == "The tests do not pass, so nothing is released.\n"
    assert git(repository, "tag") == "v1.2.0\n"
    assert git(repository, "status", "--porcelain") == ""


REFUSED = {
    "no version": ("", "true", ["Say which: make release VERSION=1.3.0"]),
    "no number": ("1.3", "true", ["Say which: make release VERSION=1.3.0"]),
    "an older one": ("1.2.0", "true", ["v1.2.0 is released already; the version must be greater."]),
    "work and branch": (
        "1.3.0",
        "touch mine; git checkout -q -b side",
        ["Not everything is committed.", "A release is made on the branch main."],
    ),
    "a question": (
        "1.3.0",
        "sed -i 's/^auth:/authority:/' copier.yml",
        ["The question auth is gone. That takes a major version."],
    ),
    "a type": (
        "1.3.0",
        "sed -i '/^sql:/,/type/s/type: bool/type: str/' copier.yml",
        ["The question sql has another type. That takes a major version."],
    ),
    "an answer": (
        "1.3.0",
        "sed -i 's/: mongodb$/: mongo/' copier.yml",
        ["mongodb is no answer to database any more. That takes a major version."],
    ),
    "no default": (
        "2.0.0",
        "printf '\\nnew:\\n  type: str\\n' >>copier.yml",
        ["The new question new has no default."],
    ),
    "a revision": (
        "2.0.0",
        "echo '# Mine.' >>template/src/app/migrations/sql/versions/0001_notes.py",
        [
            "template/src/app/migrations/sql/versions/0001_notes.py was released in v1.2.0,"
            " so it cannot change."
        ],
    ),
}


@pytest.mark.parametrize(("version", "script", "lines"), REFUSED.values(), ids=REFUSED.keys())
def test_what_speaks_against_a_release_is_a_line_each(
    repository: Path, version: str, script: str, lines: list[str]
) -> None:
    subprocess.run(["bash", "-euc", script], cwd=repository, check=True)
    if "mine" not in script:
        commit(repository, "Change")

    run = release(repository, version)

    assert run.stderr.splitlines() == lines
    assert run.returncode == 1
    assert git(repository, "tag") == "v1.2.0\n"
    assert not (repository.parent / "made").exists()


def test_a_major_version_may_remove_a_question(repository: Path) -> None:
    script = "sed -i 's/^auth:/authority:/' copier.yml"
    subprocess.run(["bash", "-euc", script], cwd=repository, check=True)
    commit(repository, "Change")

    assert release(repository, "2.0.0").returncode == 0
