"""The instructions of docs/fleet.md work."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, VARIANTS, Made, commit, environment, git, render, tree
from next_release import CHANGES

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


def test_all_services_of_one_repository_are_updated(
    releases: Path, renewed: Made, installed: Made, tmp_path: Path
) -> None:
    """One of them has a conflict, another is not committed; going back from one leaves the rest."""
    names = ("a", "b", "c", "d")
    for name in names:
        render(releases, "sqlite", service := tmp_path / "services" / name, "v999.0.0")
        shutil.rmtree(service / ".git")
        shutil.copy(installed("sqlite") / "uv.lock", service)
    readme, own = tmp_path / "services/b/README.md", tmp_path / "services/c/own.txt"
    readme.write_text(readme.read_text().replace(CHANGES["README.md.jinja"][0], "Mine."))
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "Services")
    own.write_text("Mine.")

    run = bash(block("by-hand.txt"), tmp_path)

    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "by-hand.txt").read_text() == "services/b/\nservices/c/\n"
    unmerged = git(tmp_path, "diff", "--name-only", "--diff-filter=U")
    assert unmerged == "services/b/README.md\n"
    bash(
        run.stdout.partition("To go back instead: `")[2].partition("`")[0], tmp_path / "services/b"
    )
    changed = git(tmp_path, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert {line[3:].split("/")[1] for line in changed if "services" in line} == {"a", "c", "d"}
    wanted = tree(renewed("sqlite"))
    for name in ("a", "d"):
        brought = tree(tmp_path / "services" / name)
        assert b"packaging" in brought.pop("uv.lock", b"packaging")
        assert brought == wanted


@pytest.fixture(params=["github", "gitlab"])
def ci(request: pytest.FixtureRequest) -> str:
    """Each place that can run `make update` once a week."""
    place: str = request.param
    return place


@pytest.fixture
def service(releases: Path, installed: Made, tmp_path: Path, ci: str) -> Path:
    """A project that is a release behind, cloned from where its owners keep it."""
    render(releases, "sqlite", tmp_path / "made", "v999.0.0", ci=ci)
    shutil.copy(installed("sqlite") / "uv.lock", tmp_path / "made")
    commit(tmp_path / "made", "Locked")
    git(tmp_path, "clone", "--quiet", "--bare", "made", "remote")
    git(tmp_path, "clone", "--quiet", "remote", "service")
    return tmp_path / "service"


def weekly(service: Path, ci: str) -> tuple[str, dict[str, str]]:
    """Return the script that is run once a week, and its variables."""
    if ci == "gitlab":
        job = yaml.safe_load((service / ".gitlab-ci.yml").read_text())["update"]
        return "\n".join(job["script"]), job["variables"] | {"CI_SERVER_HOST": "example.invalid"}
    workflow = yaml.safe_load((service / ".github/workflows/update.yml").read_text())
    step = workflow["jobs"]["update"]["steps"][-1]
    return step["run"], {"BRANCH": step["env"]["BRANCH"]}


def record_requests(remote: Path, folder: Path) -> Path:
    """Have requests to merge noted, as `gh` or as the options of a push; return where."""
    asked, github, hook = folder / "asked", folder / "bin/gh", remote / "hooks/post-receive"
    github.parent.mkdir()
    github.write_text(f'#!/bin/sh\necho "$@" >>{asked}\n')
    hook.write_text(f'#!/bin/sh\necho "$GIT_PUSH_OPTION_0" >>{asked}\n')
    for script in (github, hook):
        script.chmod(0o755)
    return asked


def test_one_request_to_merge_a_new_version_is_opened(
    releases: Path, service: Path, tmp_path: Path, ci: str
) -> None:
    script, variables = weekly(service, ci)
    remote = tmp_path / "remote"
    asked = record_requests(remote, tmp_path)
    git(remote, "config", "receive.advertisePushOptions", "true")
    variables |= {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "REMOTE": str(remote)}

    for _ in range(2):
        run = bash(script, service, **variables)
        assert run.returncode == 0, run.stdout + run.stderr

    requests = {
        "github": ["", "pr create --fill --head template-update"],
        "gitlab": ["merge_request.create"],
    }
    assert asked.read_text().splitlines() == requests[ci]
    git(service, "fetch", "--quiet", str(remote), "template-update")
    git(service, "checkout", "--quiet", "FETCH_HEAD")
    render(releases, "sqlite", tmp_path / "wanted", ci=ci)
    brought = tree(service)
    assert b"packaging" in brought.pop("uv.lock")
    assert brought == tree(tmp_path / "wanted")
