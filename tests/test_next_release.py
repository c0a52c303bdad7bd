"""What owners meet when the next releases come: new questions, revisions, files that moved."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment, nodes

from conftest import OLD_LAYOUT, ROOT, Made, Tool, commit, files, git, in_place_of, release, render
from next_release import NEXT, OF_THE_QUESTION

VERSIONS = Path("src/app/migrations/sql/versions")

Release = Callable[[dict[str, str]], Path]


def revision(name: str, follows: str | None, code: str = "pass", uses: str = "") -> str:
    """Return the text of an SQL revision."""
    return f'''"""A revision."""

{uses}revision = "{name}"
down_revision = {f'"{follows}"' if follows else None}


def upgrade() -> None:
    {code}


def downgrade() -> None:
    pass
'''


def column(table: str, name: str) -> str:
    """Return the code that adds a column."""
    return f'op.add_column("{table}", sa.Column("{name}", sa.Integer()))'


ALEMBIC = "import sqlalchemy as sa\nfrom alembic import op\n\n"
ABOUT_NOTES = {
    str(VERSIONS / "0002_tags.py"): revision("0002", "0001", column("comments", "tag"), ALEMBIC),
    str(VERSIONS / "0003_more.py"): revision("0003", "0002"),
    "src/app/notes/tags.py": '"""Tags."""\n',
    "tests/notes/test_tags.py": '"""Tags."""\n',
}


@pytest.fixture
def released(template: Path, tmp_path: Path) -> Release:
    """Return the template with one more release, which has these files."""

    def make(added: dict[str, str]) -> Path:
        folder = tmp_path / "template"
        git(tmp_path, "clone", "--quiet", str(template), str(folder))
        for name, text in added.items():
            (folder / "template" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "template" / name).write_text(text)
        release(folder, NEXT)
        return folder

    return make


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a project."""
    return tmp_path / "project"


@pytest.fixture
def migrate(installed: Made, tmp_path: Path) -> Callable[[Path], str]:
    """Migrate a database of a project, and return what its revision is."""

    def run(project: Path) -> str:
        (project / ".env").write_text(f"DATABASE_URL=sqlite:///{tmp_path / 'app.db'}\n")
        code = "from app.cli import main; main()"
        in_place_of(installed("adaptable"), project, "sqlite", "python", "-c", code, "migrate")
        with sqlite3.connect(tmp_path / "app.db") as connection:
            (row,) = connection.execute("SELECT version_num FROM alembic_version")
        return str(row[0])

    return run


def bare_names(pattern: str) -> set[str]:
    """Return the names in a pattern of ``_exclude`` that have no default."""
    tree = Environment().parse(pattern)
    filters = tree.find_all(nodes.Filter)
    given = {f.node.name for f in filters if f.name == "default" and isinstance(f.node, nodes.Name)}
    return {name.name for name in tree.find_all(nodes.Name)} - given


def test_a_name_in_exclude_is_one_that_every_release_knows(template: Path) -> None:
    """Copier renders the old version with the new patterns, where a new question is undefined."""
    first = yaml.safe_load(git(template, "show", f"{OLD_LAYOUT}:copier.yml"))
    patterns = yaml.safe_load((ROOT / "copier.yml").read_text())["_exclude"]

    unknown = {pattern: bare_names(pattern) - first.keys() for pattern in patterns}

    assert {pattern for pattern, names in unknown.items() if names} == set()
    assert bare_names("{% if cache != 'a' and b | default('c') %}x{% endif %}") == {"cache"}


def test_a_new_question_gets_its_default_and_can_be_answered(
    releases: Path, project: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    render(releases, "sqlite", project, "v999.0.0")

    assert tool(project, "update") == 0
    assert "Answers, which `make answer` changes:\n    cache=none\n" in capfd.readouterr().out
    assert not (project / OF_THE_QUESTION).exists()
    commit(project, "Updated")

    assert tool(project, "answer", "cache=redis") == 0
    printed = capfd.readouterr().out
    assert printed.startswith("Changed cache from none to redis.\n")
    assert "Answers" not in printed
    assert (project / OF_THE_QUESTION).exists()


@pytest.mark.parametrize("with_revision", [True, False])
def test_who_removed_the_example_gets_nothing_of_it(
    released: Release,
    project: Path,
    tool: Tool,
    capfd: pytest.CaptureFixture[str],
    migrate: Callable[[Path], str],
    with_revision: bool,
) -> None:
    template = released(ABOUT_NOTES)
    render(template, "sqlite", project, "v999.0.0")
    for name in ("src/app/notes", "tests/notes"):
        shutil.rmtree(project / name)
    if with_revision:  # The database has seen the example.
        code = '[op.drop_table(name) for name in ("comments", "notes")]'
        text = revision("own", "0001", code, ALEMBIC)
    else:
        (project / VERSIONS / "0001_notes.py").unlink()
        text = revision("own", None)
    (project / VERSIONS / "own.py").write_text(text)
    commit(project, "Without the example")
    assert migrate(project) == "own"

    assert tool(project, "update") == 0

    brought = [name for name in ABOUT_NOTES if (project / name).exists()]
    assert brought == [str(VERSIONS / "0003_more.py")]
    printed = capfd.readouterr().out
    assert (
        f"left out, as they are about what you removed:\n    {VERSIONS}/0002_tags.py\n" in printed
    )
    assert migrate(project) == "0003"
    commit(project, "Updated")

    assert tool(project, "switch", "adaptable") == 0
    assert not [name for name in files(project) if "0001_notes" in name and "mongodb" in name]


def test_a_revision_with_the_number_of_the_owners_gets_another(
    released: Release,
    project: Path,
    tool: Tool,
    migrate: Callable[[Path], str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    template = released(ABOUT_NOTES)
    render(template, "sqlite", project, "v999.0.0")
    own = project / VERSIONS / "0002_own.py"
    own.write_text(text := revision("0002", "0001"))
    commit(project, "Mine")
    assert migrate(project) == "0002"

    assert tool(project, "update") == 0

    printed = capfd.readouterr().out
    assert "0002_tags.py is revision 0002_template here, as you have another 0002.\n" in printed
    assert own.read_text() == text
    assert migrate(project) == "0003"
    commit(project, "Updated")
    (template / "template" / VERSIONS / "0004_last.py").write_text(revision("0004", "0003"))
    release(template, "v1001.0.0")
    assert tool(project, "update") == 0
    assert migrate(project) == "0004"


def test_a_renamed_feature_is_named_and_left_alone(
    released: Release, project: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    routes = (ROOT / "template/src/app/notes/routes.py").read_text() + "\n# New.\n"
    template = released(ABOUT_NOTES | {"src/app/notes/routes.py": routes})
    render(template, "sqlite", project, "v999.0.0")
    git(project, "mv", "src/app/notes", "src/app/memos")
    own = project / "src/app/memos/routes.py"
    own.write_text(own.read_text().replace("newest first", "the newest first"))
    commit(project, "Renamed")

    assert tool(project, "update") == 0

    printed = capfd.readouterr().out
    assert "    src/app/notes/routes.py -> src/app/memos/routes.py\n" in printed
    assert f"{VERSIONS}/0002_tags.py" in printed.partition("left out")[2]
    assert "# New." not in own.read_text()
    assert not (project / "src/app/notes").exists()


def test_an_executable_and_a_default_follow_the_template(
    released: Release, project: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = (ROOT / "template/src/app/kit/settings.py").read_text()
    template = released({"src/app/kit/settings.py": settings.replace("default=75", "default=90")})
    (template / "template/AGENTS.md").chmod(0o755)
    release(template, "v1001.0.0")
    render(template, "sqlite", project, "v999.0.0")

    assert tool(project, "update") == 0

    assert "another default:\n    KEEP_ALIVE=90 (it was 75)\n" in capfd.readouterr().out
    assert os.access(project / "AGENTS.md", os.X_OK)


def test_edits_move_with_files_that_the_template_moves(
    released: Release, project: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    template = released({})
    old, new = "src/app/kit/logs.py", "src/app/kit/logging/lines.py"
    (template / "template" / new).parent.mkdir()
    git(template, "mv", f"template/{old}", f"template/{new}")
    release(template, "v1001.0.0")
    render(template, "sqlite", project, "v999.0.0")
    with (project / old).open("a") as file:
        file.write("# Mine.\n")
    (project / "src/app/greeting.py").write_text("from app.kit.logs import LogFormat\n")
    (project / "src/app/kit/ids.py").unlink()
    commit(project, "Edited")

    assert tool(project, "update") == 0

    printed = capfd.readouterr().out
    assert f"Files moved, with your edits:\n    {old} -> {new}\n" in printed
    assert "src/app/greeting.py: app.kit.logs (now app.kit.logging.lines)\n" in printed
    assert not (project / old).exists()
    assert (project / new).read_text().endswith("# Mine.\n")
    assert not (project / "src/app/kit/ids.py").exists()


def test_an_answer_that_was_edited_by_hand_is_noticed_in_one_line(
    releases: Path, project: Path, tool: Tool
) -> None:
    render(releases, "sqlite", project, "v999.0.0")
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("auth: token", "auth: oidc"))
    commit(project, "Edited by hand")
    use = "was edited by hand, which changes nothing. Use: make answer auth=oidc"

    assert tool(project, "update") == f"Error: .copier-answers.yml {use}"
    assert tool(project, "answer", "auth=oidc") == 0

    assert (project / "src/app/kit/auth/oidc.py").exists()
    assert not (project / "src/app/kit/auth/token.py").exists()
    commit(project, "Changed")
    assert tool(project, "update") == 0


def test_a_template_that_has_moved_is_followed(
    released: Release, project: Path, tool: Tool, tmp_path: Path
) -> None:
    template, moved = released({}), tmp_path / "it's elsewhere"
    render(template, "sqlite", project, "v999.0.0")
    template.rename(moved)

    error = str(tool(project, "update"))
    assert ". If the template has moved: make update TEMPLATE=" in error
    assert "\n" not in error
    assert tool(project, "update", TEMPLATE=str(moved)) == 0

    answers = yaml.safe_load((project / ".copier-answers.yml").read_text())
    assert (answers["_src_path"], answers["_commit"]) == (str(moved), NEXT)
    commit(project, "Updated")
    assert tool(project, "answer", "ci=none") == 0
