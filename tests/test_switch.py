"""Changing the engine of a project that its owner has lived in."""

import re
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from conftest import VARIANTS, Made, Tool, commit, git, render, tree
from owner import kinds, of_kind


def listed(text: str, title: str) -> set[str]:
    """Return the paths that the tool printed under a title."""
    found = re.search(f"^{title}.*\n((?:    .*\n)+)", text, re.MULTILINE)
    return set(found[1].split()) if found else set()


@pytest.mark.parametrize(("old", "new"), list(permutations(VARIANTS, 2)))
def test_a_switch_gives_what_the_owner_would_have_on_the_other_engine(
    lived_in: Made,
    tmp_path: Path,
    tool: Tool,
    capfd: pytest.CaptureFixture[str],
    old: str,
    new: str,
) -> None:
    """The tests of what the owner would have are run in test_update.py, on each engine."""
    project = shutil.copytree(lived_in(old), tmp_path / "project")
    before = tree(project)

    assert tool(project, "switch", new) == 0

    gained, lost = kinds(new) - kinds(old), kinds(old) - kinds(new)
    printed = capfd.readouterr().out
    assert listed(printed, "Your features need these") == {
        path
        for kind in gained
        for path in (f"src/app/bookmarks/{kind}.py", f"src/app/migrations/{kind}/versions")
    }
    assert listed(printed, "Your files for") == {f for kind in lost for f in of_kind(kind)}
    business = ("routes.py", "models.py", "repository.py", "seeds.py")
    after = tree(project)
    assert [n for n in before if n.endswith(business) and after[n] != before[n]] == []

    for kind in lost:  # The owner does what was listed.
        for name in of_kind(kind):
            (project / name).unlink()
    for kind in gained:
        for name, text in of_kind(kind).items():
            (project / name).write_text(text)
    assert tree(project) == tree(lived_in(new))


def test_edits_of_files_that_go_are_kept_and_named(
    template: Path, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    render(template, "sqlite", tmp_path)
    edited = tmp_path / "src/app/kit/storage/sqlite.py"
    edited.write_bytes(text := edited.read_bytes() + b"# Mine.\r\n")
    commit(tmp_path, "Edited")

    assert tool(tmp_path, "switch", "postgres") == 0
    saved = tmp_path / "saved/src/app/kit/storage/sqlite.py.saved"
    assert saved.read_bytes() == text
    assert listed(capfd.readouterr().out, "Removed") == {str(saved.relative_to(tmp_path))}
    commit(tmp_path, "Switched")

    assert tool(tmp_path, "switch", "sqlite") == 0
    assert listed(capfd.readouterr().out, "These files exist again") == {
        str(saved.relative_to(tmp_path))
    }
    assert saved.read_bytes() == text


def test_all_files_of_the_owners_for_the_old_engine_are_named(
    lived_in: Made, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    project = shutil.copytree(lived_in("postgres"), tmp_path / "project")
    names = {"src/app/bookmarks/sql_rows.py", "src/app/kit/storage/postgres_replica.py"}
    names.add("tests/test_sql_rows.py")
    for name in names:
        (project / name).write_text("# Mine.\n")
    commit(project, "More")

    assert tool(project, "switch", "mongodb") == 0

    printed = capfd.readouterr().out
    assert listed(printed, "Your files for") == names | of_kind("sql").keys()


def test_what_features_lack_is_named_when_all_engines_become_one(
    lived_in: Made, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    project = shutil.copytree(lived_in("adaptable"), tmp_path / "project")
    lacking = "src/app/bookmarks/mongodb.py"
    (project / lacking).unlink()
    commit(project, "Never on MongoDB")

    assert tool(project, "switch", "mongodb") == 0

    versions = "src/app/migrations/mongodb/versions"
    assert listed(capfd.readouterr().out, "Your features need these") == {lacking, versions}


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("sqlite", "database is sqlite already"),
        ("oracle", "'oracle' is not in ['sqlite', 'postgres'"),
    ],
    ids=["the same", "unknown"],
)
def test_a_switch_that_cannot_be_is_one_line_and_changes_nothing(
    template: Path, tmp_path: Path, tool: Tool, engine: str, said: str
) -> None:
    render(template, "sqlite", tmp_path)

    error = str(tool(tmp_path, "switch", engine))

    assert said in error
    assert "\n" not in error
    assert git(tmp_path, "status", "--porcelain") == ""
