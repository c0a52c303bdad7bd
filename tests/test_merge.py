"""What an update or a switch does not do to an owner's files, whatever state they are in."""

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Made, Tool, commit, git

NEW = "src/app/kit/storage/postgres.py"  # A switch to PostgreSQL brings it.

REFUSED = {
    "work that is not committed": ("echo mine >mine.txt", "mine.txt"),
    "the same, which git is configured not to show": (
        "git config status.showUntrackedFiles no; echo mine >mine.txt",
        "mine.txt",
    ),
    "a merge that is in progress": (
        "git checkout -q -b side; git commit -q --allow-empty -m x; git checkout -q -;"
        "git merge -q --no-commit --no-ff -s ours side",
        "A merge is in progress",
    ),
    "an ignored file where one of the template's comes": (
        f"echo {NEW} >>.gitignore; git commit -qam x; echo mine >{NEW}",
        NEW,
    ),
    "a folder where a file of the template's comes": (f"mkdir {NEW}; touch {NEW}/mine", NEW),
    "a file where a folder of the template's comes": (
        "git rm -qr src/app/kit/storage; touch src/app/kit/storage; git add -A; git commit -qm x",
        "src/app/kit/storage/__init__.py",
    ),
    "a file of the template's that is in git no more": (
        "git rm -q --cached compose.yaml; echo compose.yaml >>.gitignore; git add .gitignore;"
        "git commit -qm x; echo mine >>compose.yaml",
        "compose.yaml",
    ),
    "an edit that git is configured to overlook": (
        "git update-index --skip-worktree Dockerfile; echo mine >>Dockerfile",
        "Dockerfile",
    ),
    "a symbolic link in the place of a file": (
        "mv compose.yaml ../mine; ln -s ../mine compose.yaml; git add -A; git commit -qm x",
        "compose.yaml: by a symbolic link",
    ),
    "a symbolic link in the place of a folder": (
        "mv .devcontainer ../mine; ln -s ../mine .devcontainer; git add -A; git commit -qm x",
        ".devcontainer/compose.yaml",
    ),
    "a symbolic link in the place of saved": (
        "mkdir ../mine; ln -s ../mine saved; git add -A; git commit -qm x",
        "saved: by a symbolic link",
    ),
    "answers without the template": (
        "sed -i /_src_path/d .copier-answers.yml; git commit -qam x",
        ".copier-answers.yml",
    ),
}


@pytest.fixture
def project(rendered: Made, tmp_path: Path) -> Path:
    """A project of its own."""
    folder = shutil.copytree(rendered("sqlite"), tmp_path / "project")
    git(folder, "config", "user.name", "test")
    git(folder, "config", "user.email", "test@example.invalid")
    return folder


def content(project: Path) -> dict[Path, bytes]:
    """Return all files, tracked or not, except those of git and of Python; also those beside it."""
    paths = {path for path in project.parent.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    return {path: path.read_bytes() for path in paths if ".git" not in path.parts}


@pytest.mark.parametrize(("script", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_lost_is_refused_in_one_line(
    project: Path, tool: Tool, script: str, said: str
) -> None:
    subprocess.run(["bash", "-euc", script], cwd=project, check=True)
    before = content(project)

    error = str(tool(project, "switch", "postgres"))

    assert said in error
    assert "\n" not in error
    assert content(project) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("apply.whitespace", "error"),
        ("core.quotePath", "false"),
        ("core.autocrlf", "true"),
        ("core.attributesFile", "../attributes"),
        ("core.excludesFile", "../ignore"),
        ("core.hooksPath", "../hooks"),
        ("merge.conflictStyle", "diff3"),
    ],
)
def test_an_edit_survives_whatever_git_is_configured_to(
    project: Path, tool: Tool, name: str, value: str
) -> None:
    (project.parent / "attributes").write_text("*.py -diff\n*.toml eol=crlf\n")
    (project.parent / "ignore").write_text("*.py\n")
    hook = project.parent / "hooks/pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    edited, other = project / "src/app/errors.py", project / "pyproject.toml"
    edited.write_bytes(edited.read_bytes() + b"# Caf\xe9. \n")
    other.write_text(other.read_text() + "# Mine.\n")
    (project / "größe.txt").write_text("5")
    (project / "README.md.rej").write_text("Mine.")
    commit(project, "Edited")
    git(project, "config", name, value)

    assert tool(project, "switch", "postgres") == 0

    assert edited.read_bytes().endswith(b"# Caf\xe9. \n")
    assert "asyncpg" in other.read_text()
    assert other.read_text().endswith("# Mine.\n")
    assert (project / "README.md.rej").read_text() == "Mine."


def test_hidden_files_that_cannot_be_lost_are_no_obstacle(project: Path, tool: Tool) -> None:
    (project / "node_modules").mkdir()
    (project / "node_modules/mine.js").touch()
    with (project / ".gitignore").open("a") as file:
        file.write("node_modules/\ncompose.yaml\n")
    git(project, "rm", "--quiet", "--cached", "compose.yaml")
    commit(project, "Ignored")

    assert tool(project, "switch", "postgres") == 0


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (AttributeError("one\ntwo"), 1, "Error: one two."),
    ],
    ids=["Ctrl-C", "a bug"],
)
def test_a_partial_merge_says_how_to_go_back(
    project: Path,
    tool: Tool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: BaseException,
    code: int,
    said: str,
) -> None:
    before = content(project)

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("os.access", fail)

    ended = tool(project, "switch", "postgres")

    line = ended if isinstance(ended, str) else capfd.readouterr().err.strip()
    assert ended in (line, code)
    assert line.startswith(f"{said} It is merged in part; to go back: `git restore ")
    assert "\n" not in line
    subprocess.run(["bash", "-euc", line.split("`")[1]], cwd=project, check=True)
    assert content(project) == before


def test_an_interruption_of_the_start_is_one_line(project: Path, tmp_path: Path) -> None:
    """Copier and its packages take half a second to import."""
    (tmp_path / "copier.py").write_text("import os; os.kill(os.getpid(), 2)")

    run = subprocess.run(
        [sys.executable, "-B", "tools/template.py", "outdated"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (run.returncode, run.stderr) == (130, "Interrupted.\n")


def of_the_tools(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module of the template's tools, and not that of a project in a test before."""
    tools = ROOT / "template/tools"
    monkeypatch.syspath_prepend(tools)
    for module in tools.glob("*.py"):
        monkeypatch.delitem(sys.modules, module.stem, raising=False)
    return import_module(name)


def test_the_line_endings_of_an_owner_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    merge = of_the_tools("merge", monkeypatch).merge
    old, new = b"1\n2\n3\n4\n", b"one\n2\n3\n4\n"

    merged = merge({"a": old}, {"a": b"1\r\n2\r\n3\r\nmine\r\n"}, {"a": new}, {})

    assert merged.written == {"a": b"one\r\n2\r\n3\r\nmine\r\n"}
    assert not merged.conflicts


OWN = {"0001": None, "own": "0001"}


@pytest.mark.parametrize(
    ("own", "brought", "then", "message"),
    [
        ({"0001": None}, "0001", "0001", ""),
        (OWN, "0001", "own", "now follows your revision own."),
        (OWN | {"more": "own"}, "0001", "more", "now follows your revision more."),
        (OWN | {"0002": "0001", "m": ("own", "0002")}, "0002", "m", "now follows your revision m."),
        (OWN | {"b": "0001", "m": ("own", "b")}, "0001", "m", "now follows your revision m."),
        (OWN | {"m": ("own", "new")}, "0001", "0001", ""),
        ({"a": "b", "b": "a"}, "a", "a", ""),
        (
            OWN | {"b": "0001"},
            "0001",
            "0001",
            "is one more head, as yours are b and own: merge them.",
        ),
    ],
    ids=[
        "none",
        "one",
        "two in a line",
        "a merge with ours",
        "a merge of two",
        "one with this",
        "a circle",
        "two heads",
    ],
)
def test_a_revision_of_the_template_follows_the_owners_last(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: dict[str, str | tuple[str, ...] | None],
    brought: str,
    then: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    follow_own = of_the_tools("revisions", monkeypatch).follow_own
    versions = Path("src/app/migrations/sql/versions")
    versions.mkdir(parents=True)
    for name, down in own.items():
        text = f'revision: str = "{name}"\ndown_revision = {down!r}  # "a" and "b"\n'
        (versions / f"{name}.py").write_text(text)
    new = versions / "new.py"
    new.write_text(f'revision = "new"\ndown_revision = "{brought}"\n')

    lines = list(follow_own({str(versions / f"{name}.py") for name in own}))

    assert new.read_text() == f'revision = "new"\ndown_revision = "{then}"\n'
    assert "".join(lines).endswith(message)
    assert len(lines) == bool(message)


@pytest.mark.parametrize(
    ("own", "brought", "then"),
    [
        (["0001_a"], ["0002_x"], ["0002_x"]),
        (["0001_a", "0002_b"], ["0002_x", "0003_x"], ["0004_x", "0005_x"]),
        (["0001_a", "0007_b"], ["0002_x", "0007_y", "0009_z"], ["0010_x", "0011_y", "0012_z"]),
    ],
    ids=["free", "taken", "taken in between"],
)
def test_revisions_of_mongodb_come_last_if_their_number_is_taken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: list[str],
    brought: list[str],
    then: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    follow_own = of_the_tools("revisions", monkeypatch).follow_own
    versions = Path("src/app/migrations/mongodb/versions")
    versions.mkdir(parents=True)
    for name in (*own, *brought):
        (versions / f"{name}.py").write_text(name)

    lines = list(follow_own({str(versions / f"{name}.py") for name in own}))

    made = {path.stem: path.read_text() for path in versions.iterdir()}
    assert made == dict(zip([*own, *then], [*own, *brought], strict=True))
    assert len(lines) == (0 if brought == then else len(brought))
