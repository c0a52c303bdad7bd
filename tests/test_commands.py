"""`make update DRY_RUN=1`, `make outdated` and `make answer`, as an owner sees them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import Made, Tool, commit, environment, files, git, render
from next_release import ADDED, CHANGES, NEXT, REMOVED

REVISION = "src/app/migrations/sql/versions/0002_nothing.py"


@pytest.fixture
def behind(releases: Path, tmp_path: Path) -> Path:
    """A project that is a release behind, with an edit that will be a conflict."""
    project = tmp_path / "project"
    render(releases, "sqlite", project, "v999.0.0")
    for name, text in {"README.md": "Mine.", "compose.yaml": "init: false"}.items():
        old = CHANGES.get(f"{name}.jinja", CHANGES.get(name, ("init: true", "")))[0]
        (project / name).write_text((project / name).read_text().replace(old, text))
    (project / "Dockerfile").unlink()
    with (project / REMOVED).open("a") as file:
        file.write("!docs\n")
    commit(project, "Edited")
    return project


def listed(printed: str, title: str) -> list[str]:
    """Return what was printed under a title."""
    found = re.search(f"^{re.escape(title)}.*\n((?:    .*\n)+)", printed, re.MULTILINE)
    return re.findall("^    (.*)$", found[1], re.MULTILINE) if found else []


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files, those of git included, but not what Python keeps of the tool's modules."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path): path.read_bytes() for path in files}


def test_a_dry_run_prints_what_an_update_does_and_writes_nothing(
    behind: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    before = everything(behind)

    assert tool(behind, "update", DRY_RUN="1") == 1

    dry = capfd.readouterr().out
    assert everything(behind) == before
    assert set(listed(dry, "Files added")) == {"SECURITY.md", REVISION, f"saved/{REMOVED}.saved"}
    assert listed(dry, "Files removed") == [REMOVED]
    assert "src/app/kit/settings.py" in listed(dry, "Files changed")
    assert listed(dry, "Revisions") == [REVISION]
    assert listed(dry, "Settings that are new") == ["BANNER="]
    assert listed(dry, "Conflicts") == ["README.md", "compose.yaml"]
    assert listed(dry, "Removed files with your edits") == [f"saved/{REMOVED}.saved"]

    assert tool(behind, "update") == 1

    real = capfd.readouterr().out
    end = "This was a dry run"
    assert real.partition("Look at it")[0] == dry.partition(end)[0]
    changed = git(behind, "status", "--porcelain", "--untracked-files=all").splitlines()
    titles = ("Files added", "Files changed", "Files removed", "Conflicts")
    named = [name for title in titles for name in listed(real, title)]
    assert sorted(line[3:] for line in changed) == sorted(named)
    assert set(ADDED) - set(named) == {REVISION.replace("/sql/", "/mongodb/")}
    assert not (behind / "Dockerfile").exists()


def test_an_update_prints_the_changelog_since_the_project_s_version(
    template: Path, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    newer, project = tmp_path / "template", tmp_path / "project"
    git(tmp_path, "clone", "--quiet", str(template), "template")
    for version, text in {"1000.0.0": "- A banner.", "1001.0.0": "- A bell."}.items():
        changelog = newer / "CHANGELOG.md"
        rest = changelog.read_text().partition("\n## ")
        new = f"{rest[0]}\n## Unreleased\n\n## {version} (2027-01-01)\n\n{text}\n\n## "
        older = rest[2].replace("Unreleased\n\n## ", "").replace("Unreleased", "999.0.0")
        changelog.write_text(new + older)
        commit(newer, version)
        git(newer, "tag", f"v{version}")
    render(newer, "sqlite", project, "v999.0.0")

    assert tool(project, "update") == 0

    news = capfd.readouterr().out.partition("The changelog says:\n\n")[2].partition("Look at")[0]
    wanted = "## 1001.0.0 (2027-01-01)\n\n- A bell.\n\n## 1000.0.0 (2027-01-01)\n\n- A banner."
    assert news.strip() == wanted


def test_outdated_says_what_is_newer_and_what_was_edited(
    behind: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    (behind / "mine.txt").write_text("Not committed.")
    before = everything(behind)

    assert tool(behind, "outdated") == 0
    printed = capfd.readouterr().out
    assert tool(behind, "outdated", FORMAT="json") == 0
    found = json.loads(capfd.readouterr().out)

    assert everything(behind) == before
    assert f"The newest is {NEXT}, 1 later; `make update` takes it.\n" in printed
    edits = ["README.md +1 -1", "compose.yaml +1 -1", f"{REMOVED} +1 -0"]
    assert sorted(listed(printed, "Edited")) == sorted(edits)
    assert listed(printed, "Deleted") == ["Dockerfile"]
    assert found["version"] == "v999.0.0"
    assert (found["newest"], found["newer"], found["is_outdated"]) == (NEXT, [NEXT], True)
    assert found["edited"]["README.md"] == {"added": 1, "removed": 1}
    assert found["deleted"] == ["Dockerfile"]


def make_answer(installed: Path, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `make answer` in a project, with a variant's environment."""
    (project / ".git/info/exclude").write_text(".venv\n")
    (project / ".venv").symlink_to(installed / ".venv")
    command = ["make", "--assume-old=.venv/ready", "answer", *words]
    shell = environment("sqlite") | {"auth": "none", "ci": "none"}
    run = subprocess.run(command, cwd=project, env=shell, capture_output=True, text=True)
    (project / ".venv").unlink()
    return run


def test_answers_are_changed_by_make(rendered: Made, installed: Made, tmp_path: Path) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")
    description = "It costs $5, a=b / 'c' d."
    words = ("auth=oidc", f"description={description}")

    dry = make_answer(installed("sqlite"), project, *words, "DRY_RUN=1")
    assert dry.returncode == 0, dry.stderr
    assert git(project, "status", "--porcelain") == ""
    run = make_answer(installed("sqlite"), project, *words)

    assert run.returncode == 0, run.stderr
    assert "Changed auth from token to oidc.\n" in run.stdout
    assert "src/app/kit/auth/oidc.py" in files(project)
    assert "src/app/kit/auth/token.py" not in files(project)
    assert ".github/dependabot.yml" in files(project)
    assert description in (project / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Say which: make answer ci=none"),
        (["autth=oidc"], "autth: there is no such question, only auth, ci, database"),
        (["_commit=v1"], "_commit: there is no such question"),
        (["auth=token"], "auth is token already"),
        (["auth=basic"], "'basic' is not in ['token', 'oidc', 'none']"),
    ],
)
def test_an_answer_that_cannot_be_is_one_line_and_changes_nothing(
    rendered: Made, tmp_path: Path, tool: Tool, words: list[str], said: str
) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")

    error = str(tool(project, "answer", *words))

    assert said in error
    assert "\n" not in error
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["DRY_RUN=1"], "Say which: make answer ci=none"),
        (["project_slug=A B"], "lower-case letters"),
    ],
)
def test_make_says_it_and_nothing_else(
    rendered: Made, installed: Made, tmp_path: Path, words: list[str], said: str
) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")

    run = make_answer(installed("sqlite"), project, *words)

    error, end = run.stderr.splitlines()
    assert said in error
    assert end.startswith("make: ***")
    assert git(project, "status", "--porcelain") == ""
