"""Callers have only their own notes, once docs/authenticate.md was followed to the letter."""

import re
from pathlib import Path

import pytest

from conftest import ROOT, Made, in_place_of, render, run_tests

GUIDE = ROOT / "docs/authenticate.md"
FILES_AND_CHANGES = re.compile(r"^`((?:src|tests)/\S+)`|^```diff\n(.*?)^```", re.M | re.S)
CODE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def section() -> str:
    """Return the section about notes of one's own."""
    return GUIDE.read_text().partition("## My notes only\n")[2].partition("\n## ")[0]


def follow(project: Path) -> None:
    """Make each change of the section in the file named before it, if the project has that file."""
    path = project
    for name, change in FILES_AND_CHANGES.findall(section()):
        path = project / name if name else path
        if change and path.exists():
            lines = change.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] != "+")
            new = "".join(line[1:] for line in lines if line[0] != "-")
            content = path.read_text()
            assert content.count(old) == 1, f"{path}: {old}"
            path.write_text(content.replace(old, new))


@pytest.mark.parametrize("database", ["sqlite", "mongodb"])
def test_callers_have_only_notes_of_their_own(
    template: Path,
    installed: Made,
    tmp_path: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, kind = installed(database), "mongodb" if database == "mongodb" else "sql"
    render(template, database, tmp_path)
    follow(tmp_path)
    revision, test = CODE.findall(section())
    (tmp_path / "tests/test_own_notes.py").write_text(test)
    versions = tmp_path / "src/app/migrations" / kind / "versions"
    if kind == "mongodb":
        (versions / "0002_owner.py").write_text(revision)
    else:
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'notes.db'}")
        in_place_of(home, tmp_path, database, "app", "migrate")
        in_place_of(home, tmp_path, database, "alembic", "revision", "--autogenerate", "-m=owner")

    in_place_of(home, tmp_path, database, "ruff", "format", str(versions))
    in_place_of(home, tmp_path, database, "ruff", "format", "--check")
    in_place_of(home, tmp_path, database, "ruff", "check")
    in_place_of(home, tmp_path, database, "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")
    names = ["test_own_notes", "notes/test_repository", f"kit/test_{kind}_migrations"]
    run_tests(home, tmp_path, database, *names)
