"""What `make feature` made, when the engine is changed or a newer version is taken."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Made, Run, commit, render, tree
from next_release import NEXT

FEATURES = {
    "authors": "name:text(80):unique born:date? email:email?:filter",
    "articles": "title:text author:ref(authors):filter price:decimal(8,2)=1.5",
    "loans": "article:ref(articles):filter reader:ref(authors)? due:date? code:uuid:unique",
}
OWN = tuple(f"{folder}/{name}/" for folder in ("src/app", "tests") for name in FEATURES)


def make(project: Path, run: Run) -> Path:
    """Make three features that refer to each other."""
    for name, fields in FEATURES.items():
        made = run(project, "make", NAME=name, FIELDS=fields)
        assert made.returncode == 0, made.stderr
    return project


@pytest.fixture
def project(rendered: Made, tmp_path: Path, run: Run) -> Path:
    """A project for SQLite with the three."""
    return make(shutil.copytree(rendered("sqlite"), tmp_path / "project"), run)


def generated(project: Path) -> dict[str, bytes]:
    """Return the files of the three."""
    return {name: text for name, text in tree(project).items() if name.startswith(OWN)}


def line_of_revisions(project: Path, kind: str) -> Iterator[str]:
    """Yield what the revisions of a kind do, in the order in which they follow each other."""
    versions = (project / f"src/app/migrations/{kind}/versions").glob("*.py")
    if kind == "mongodb":
        yield from (path.stem.partition("_")[2] for path in sorted(versions))
        return
    down = '\ndown_revision: str | Sequence[str] | None = "{}"\n'
    texts = {path: path.read_text() for path in versions}
    found = [path for path in texts if path.stem == "0001_notes"]
    while found:
        revision, _, title = found[0].stem.partition("_")
        yield title
        found = [path for path, text in texts.items() if down.format(revision) in text]


def test_features_go_round_all_engines_without_a_line_by_hand(
    rendered: Made, tmp_path: Path, project: Path, run: Run
) -> None:
    made = generated(project)

    for engine in ("mongodb", "mysql", "adaptable", "mongodb", "postgres", "sqlite"):
        done = run(project, "switch", "--", engine, tool="template")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "Your features need" not in done.stdout
        assert "Your files" not in done.stdout
        new = make(shutil.copytree(rendered(engine), tmp_path / engine), run)
        assert generated(project) == generated(new)
        for kind in ("sql", "mongodb"):
            assert [*line_of_revisions(project, kind)] == [*line_of_revisions(new, kind)]
        shutil.rmtree(new)

    assert generated(project) == made


def test_edits_are_carried_and_a_module_with_edits_is_named(project: Path, run: Run) -> None:
    edited = [project / f"src/app/authors/{name}.py" for name in ("routes", "sql")]
    for path in edited:
        path.write_text(path.read_text() + "\n\n# Mine.\n")
    commit(project, "Edit")

    done = run(project, "switch", "--", "mongodb", tool="template")

    assert done.returncode == 0
    assert "delete those that you no longer need:\n    src/app/authors/sql.py\n" in done.stdout
    assert [path.read_text().endswith("\n\n# Mine.\n") for path in edited] == [True, True]
    assert not (project / "src/app/loans/sql.py").exists()
    assert (project / "src/app/authors/mongodb.py").exists()

    done = run(project, "switch", "--", "postgres", tool="template")

    assert done.returncode == 0
    assert "were there already, and stay:\n    src/app/authors/sql.py\n" in done.stdout
    line = ["notes", "add_authors", "add_articles", "add_loans"]
    assert [*line_of_revisions(project, "sql")] == line


def test_a_newer_generator_is_merged_into_features(
    releases: Path, tmp_path: Path, run: Run
) -> None:
    projects = {version: tmp_path / version for version in ("v999.0.0", NEXT)}
    for version, project in projects.items():
        render(releases, "sqlite", project, version)
        make(project, run)
    project, new = projects.values()
    loans, articles = (project / f"src/app/{name}/routes.py" for name in ("loans", "articles"))
    loans.write_text(loans.read_text() + "\n\n# Mine.\n")
    articles.write_text(articles.read_text().replace('"""Delete an article."""', '"""Mine."""'))
    commit(project, "Edit")

    done = run(project, "update", tool="template")

    assert done.returncode == 1
    assert "to resolve in:\n    src/app/articles/routes.py\n" in done.stdout
    assert (
        '<<<<<<< before updating\n    """Mine."""\n=======\n    """Delete an article for good."""\n'
        in (articles.read_text())
    )
    assert loans.read_text().endswith("\n\n# Mine.\n")
    loans.write_text(loans.read_text().removesuffix("\n\n# Mine.\n"))
    shutil.copy(new / "src/app/articles/routes.py", articles)
    assert generated(project) == generated(new)
