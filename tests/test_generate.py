"""What Copier makes of the answers, before anything of it runs."""

import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy

from conftest import ROOT, Made, environment, files, git

ENGINE_WORDS = {
    "sqlite": re.compile("sqlite", re.IGNORECASE),
    "postgres": re.compile("postgres|asyncpg|libpq|pg_", re.IGNORECASE),
    "mysql": re.compile("mysql|mariadb|asyncmy", re.IGNORECASE),
    "mongodb": re.compile("mongo|bson", re.IGNORECASE),
}
SQL_WORDS = re.compile("sql|alembic", re.IGNORECASE)
JINJA = {
    "{{ _copier_conf.answers_file }}.jinja",
    ".devcontainer/compose.yaml.jinja",
    ".env.example.jinja",
    "Makefile.jinja",
    "README.md.jinja",
    "compose.yaml.jinja",
    "pyproject.toml.jinja",
    "src/app/__init__.py.jinja",
    "src/app/kit/auth/__init__.py.jinja",
    "src/app/kit/storage/__init__.py.jinja",
}
BAD_ANSWERS = {
    "empty name": ({"project_name": ""}, "1 to 60 letters"),
    "name that breaks code": ({"project_name": 'a"b'}, "1 to 60 letters"),
    "slug with capitals": ({"project_name": "x", "project_slug": "My_Notes"}, "lower-case"),
    "slug with a digit first": ({"project_name": "x", "project_slug": "1"}, "lower-case"),
    "name and a new line": ({"project_name": "x\n", "project_slug": "x"}, "1 to 60 letters"),
    "slug and a new line": ({"project_name": "x", "project_slug": "x\n"}, "lower-case"),
    "slug that Docker reserves": ({"project_name": "x", "project_slug": "scratch"}, "another name"),
    "blank description": ({"project_name": "x", "description": "  "}, "1 to 200"),
    "description that is too long": ({"project_name": "x", "description": "x" * 201}, "1 to 200"),
    "description with quotes": ({"project_name": "x", "description": 'a "b"'}, "quotes"),
    "description with a separator": ({"project_name": "x", "description": "a\u2028b"}, "one line"),
    "description that is no Unicode": ({"project_name": "x", "description": "\udcff"}, "one line"),
    "description of two lines": ({"project_name": "x", "description": "a\nb"}, "one line"),
    "unknown engine": ({"project_name": "x", "database": "oracle"}, "sqlite"),
    "unknown authority": ({"project_name": "x", "auth": "basic"}, "oidc"),
}

ANSWERS_ONLY = ["*", "!.copier-answers.yml"]

ODD_ANSWERS = {
    "Null": "\u2019",
    "True ": "Notes \u2013 and comments\u2026",
    "FastAPI": "\U0001f600" * 200,
    "app": "{{ project_name }} {% raw %} {# #}",
    "uv": "100 % of $HOME's `notes` # not a comment",
    "Copier_": " leading and trailing ",
    "Con": "'''",
    "json": "\u0395\u03bb, \u65e5\u672c\u8a9e, \u05e2\u05d1\u05e8\u05d9\u05ea",
    "n-service": "<script>alert(1)</script>",
    "e5." + "x" * 57: "W " * 99 + "W",
    "Yes": "%(here)s: - [a] &b *c !d |e >f @g",
}
"""Names and descriptions that are allowed, and would break one kind of file or another."""


def test_generating_asks_for_neither_trust_nor_a_network(template: Path, tmp_path: Path) -> None:
    code = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError(f"{event}{arguments}")
sys.addaudithook(refuse)
from copier.__main__ import CopierApp
CopierApp.run()
"""
    command = [sys.executable, "-c", code, "copy", "--defaults", "--data=project_name=Team Notes"]

    run = subprocess.run([*command, template, tmp_path / "new"], capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    assert "make dev" in run.stderr
    assert (tmp_path / "new/src/app/kit/storage/sqlite.py").exists()


@pytest.mark.parametrize(("answers", "said"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_a_bad_answer_ends_with_what_is_allowed(
    template: Path, tmp_path: Path, answers: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        run_copy(str(template), tmp_path / "new", data=answers, defaults=True, quiet=True)

    assert said in str(error.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Team Notes", "team-notes"),
        ("a.b_C--d ", "a-b-c-d"),
        ("N0.", "n0"),
        ("2027 Notes", "notes"),
        ("1", "service"),
        ("Scratch", "service"),
    ],
)
def test_the_slug_follows_from_the_name(
    template: Path, tmp_path: Path, name: str, slug: str
) -> None:
    answers = {"project_name": name}
    run_copy(str(template), tmp_path, answers, exclude=ANSWERS_ONLY, defaults=True, quiet=True)

    assert yaml.safe_load((tmp_path / ".copier-answers.yml").read_text())["project_slug"] == slug


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("my-service", "My Service"),
        ("down/the/API_gateway/", "API gateway"),
        (".", "Here"),
        ("../here", "Here"),
        ("Caf\u00e9 'au' {lait}", "Caf au lait"),
        ("\u30ce\u30fc\u30c8", "Notes"),
        ("x" * 80, "X" + "x" * 59),
    ],
)
def test_the_name_follows_from_the_folder(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, name: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run_copy(str(template), folder, exclude=ANSWERS_ONLY, defaults=True, quiet=True)

    assert yaml.safe_load(Path(folder, ".copier-answers.yml").read_text())["project_name"] == name


def test_the_closing_message_leads_to_a_commit_with_the_lock(
    template: Path, tmp_path: Path
) -> None:
    person = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    run = partial(subprocess.run, check=True, env=environment("sqlite") | person)
    options = ("--defaults", "--data", "db=mysql")
    copier = [sys.executable, "-m", "copier", "copy", *options, template, "my notes"]
    said = run(copier, cwd=tmp_path, capture_output=True, text=True).stderr
    *steps, last = re.findall(r"^    (.+)", said, re.MULTILINE)

    run(["sh", "-euc", "\n".join(steps)], cwd=tmp_path, stdout=subprocess.DEVNULL)

    assert last == "make dev"
    assert "no question called db:" in said
    assert {"uv.lock", ".gitignore"} <= {*git(tmp_path / "my notes", "ls-files").splitlines()}
    assert not git(tmp_path / "my notes", "status", "--porcelain")


def test_the_answers_are_kept_with_the_version(project: Path, database: str) -> None:
    answers: dict[str, Any] = yaml.safe_load((project / ".copier-answers.yml").read_text())

    assert answers.pop("_src_path")
    assert answers == {
        "_commit": "v999.0.0",
        "project_name": "Team Notes",
        "project_slug": "team-notes",
        "description": "Notes and comments over HTTP.",
        "database": database,
        "ci": "github",
        "auth": "token",
        "example": "notes",
    }


def test_only_files_that_depend_on_an_answer_are_templates() -> None:
    found = (ROOT / "template").rglob("*.jinja")

    assert {str(path.relative_to(ROOT / "template")) for path in found} == JINJA


def test_a_variant_is_the_adaptable_one_without_other_engines(
    rendered: Made, project: Path, database: str
) -> None:
    full = files(rendered("adaptable"))

    assert files(project) == [name for name in full if not is_of_another(name, database)]


def is_of_another(name: str, database: str) -> bool:
    """Tell whether a file is, by its name, for engines that an answer leaves out."""
    engines = [engine for engine in ENGINE_WORDS if re.search(rf"\b{engine}|_{engine}", name)]
    if database == "adaptable":
        return False
    if engines:
        return database not in engines
    if "sql_async" in name or name.endswith("/storage/tls.py"):  # PyMongo has its own.
        return database in ("sqlite", "mongodb")
    return database == "mongodb" and "sql" in name


def test_no_word_of_another_engine(project: Path, database: str) -> None:
    texts = {name: (project / name).read_text() for name in files(project)}

    for engine, word in ENGINE_WORDS.items():
        if database not in (engine, "adaptable"):
            assert [name for name, text in texts.items() if word.search(name + text)] == []
    if database == "mongodb":
        assert [name for name, text in texts.items() if SQL_WORDS.search(name + text)] == []


def test_nothing_is_left_of_the_template(project: Path) -> None:
    for name in files(project):
        text = (project / name).read_text()
        if f"{name}.jinja" in JINJA:
            assert not re.search(r"\{\{|\{%|%\}|\{#", text), name
        assert not name.endswith(".jinja")
        assert text.endswith("\n") or not text, name
        assert not re.search(r"[ \t]$|\n\n\Z", text, re.MULTILINE), name


def test_every_name_is_one_that_windows_allows(project: Path) -> None:
    reserved = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")

    for name in files(project):
        assert not re.search(r'[<>:"\\|?*]', name)
        assert not any(
            reserved.match(part) or part.endswith((".", " ")) for part in name.split("/")
        )


@pytest.mark.parametrize(("name", "description"), ODD_ANSWERS.items())
def test_an_odd_answer_gives_files_that_are_as_good_as_any(
    template: Path, tmp_path: Path, name: str, description: str
) -> None:
    answers = {"project_name": name, "description": description, "database": "adaptable"}
    run_copy(str(template), tmp_path, data=answers, defaults=True, quiet=True)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    compose = yaml.safe_load((tmp_path / "compose.yaml").read_text())
    scrapes = yaml.safe_load(compose["configs"]["prometheus"]["content"])["scrape_configs"]
    slug = yaml.safe_load((tmp_path / ".copier-answers.yml").read_text())["project_slug"]
    module = runpy.run_path(str(tmp_path / "src/app/__init__.py"))

    assert project["description"] == description.strip()
    assert f"\n{description.strip()}\n" in (tmp_path / "README.md").read_text()
    assert project["name"] == module["DISTRIBUTION"] == slug.removesuffix("-service") + "-service"
    assert module["TITLE"] == name.strip()
    assert {compose["name"], compose["x-service"]["image"], scrapes[0]["job_name"]} == {slug}
    for check in (["check"], ["format", "--check"]):
        subprocess.run(["ruff", *check, "--quiet", "--no-cache"], cwd=tmp_path, check=True)


def test_no_project_is_called_like_what_it_needs(installed: Callable[..., Path]) -> None:
    """Nor like a package that those need; then it could not be installed."""
    for database, auth in (("adaptable", "token"), ("sqlite", "oidc")):
        text = (installed(database, auth) / "uv.lock").read_text()
        names = [package["name"] for package in tomllib.loads(text)["package"]]
        assert [name for name in names if name.endswith("-service")] == ["team-notes-service"]
