"""Changing the engine of a project that its owner has lived in."""

import re
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from conftest import VARIANTS, Made, Run, Tool, commit, git, render, tree
from owner import kinds, name_revisions, of_kind


def listed(text: str, title: str) -> set[str]:
    """Return the paths that the tool printed under a title."""
    found = re.search(f"^{title}.*\n((?:    .*\n)+)", text, re.MULTILINE)
    return set(found[1].split()) if found else set()


@pytest.mark.parametrize(("old", "new"), list(permutations(VARIANTS, 2)))
def test_a_switch_gives_what_the_owner_would_have_on_the_other_engine(
    lived_in: Made, tmp_path: Path, run: Run, old: str, new: str
) -> None:
    """The tests of what the owner would have are run in test_update.py, on each engine."""
    project = shutil.copytree(lived_in(old), tmp_path / "project")
    before, wanted = tree(project), tree(lived_in(new))

    done = run(project, "switch", "--", new, tool="template")

    assert (done.returncode, done.stderr) == (0, "")
    gained, lost = kinds(new) - kinds(old), kinds(old) - kinds(new)
    assert listed(done.stdout, "Your features need these") == {
        path
        for kind in gained
        for path in (f"src/app/shelves/{kind}.py", f"src/app/migrations/{kind}/versions")
    }
    assert listed(done.stdout, "Your files for") == {
        f for kind in lost for f in of_kind(before, kind)
    }
    business = ("routes.py", "models.py", "repository.py", "seeds.py")
    after = tree(project)
    assert [n for n in before if n.endswith(business) and after[n] != before[n]] == []

    for kind in lost:  # The owner does what was listed.
        for name in of_kind(before, kind):
            (project / name).unlink()
    for kind in gained:  # The revision of bookmarks is there, as they have a specification.
        for name in of_kind(wanted, kind):
            if not name.endswith("_add_bookmarks.py"):
                (project / name).write_bytes(wanted[name])
    name_revisions(project)
    assert tree(project) == wanted


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
    lived_in: Made, tmp_path: Path, run: Run
) -> None:
    project = shutil.copytree(lived_in("postgres"), tmp_path / "project")
    before = tree(project)
    names = {"src/app/bookmarks/sql_rows.py", "src/app/kit/storage/postgres_replica.py"}
    names.add("tests/test_sql_rows.py")
    for name in names:
        (project / name).write_text("# Mine.\n")
    commit(project, "More")

    done = run(project, "switch", "--", "mongodb", tool="template")

    assert listed(done.stdout, "Your files for") == names | of_kind(before, "sql")


def test_what_features_lack_is_named_when_all_engines_become_one(
    lived_in: Made, tmp_path: Path, run: Run
) -> None:
    project = shutil.copytree(lived_in("adaptable"), tmp_path / "project")
    lacking = "src/app/shelves/mongodb.py"
    (project / lacking).unlink()
    commit(project, "Never on MongoDB")

    done = run(project, "switch", "--", "mongodb", tool="template")

    versions = "src/app/migrations/mongodb/versions"
    assert listed(done.stdout, "Your features need these") == {lacking, versions}


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
