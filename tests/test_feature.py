"""`make feature` and `make remove`: what they write, on each engine, and what they refuse."""

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import VARIANTS, Made, Run, commit, in_place_of, render, run_tests, tree

TYPES = {
    "text": "abc",
    "text(1)": "a",
    "text(500)": "abc",
    "url": "http://a.b/?c=d#e",
    "email": "a@example.com",
    "int": "5",
    "int(1,9)": "5",
    "decimal(12,2)": "1.5",
    "bool": "true",
    "date": "2026-11-27",
    "datetime": "2026-11-27T12:00:00+02:00",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "enum(new,read)": "new",
}
FORMS = ("{}", "{}?", "{}={default}", "{}:unique", "{}:filter", "{}?:unique:filter")
FIELDS = " ".join(
    f"f{number}_{letter}:{form.format(kind, default=default)}"
    for number, (kind, default) in enumerate(TYPES.items())
    for letter, form in zip("abcdef", FORMS, strict=True)
)
REFS = "a:ref(shelves) b:ref(shelves)?:filter c:ref(shelves)?:unique d:ref(notes):filter"


@pytest.fixture
def project(rendered: Made, tmp_path: Path) -> Path:
    """The folder of a project for SQLite."""
    return shutil.copytree(rendered("sqlite"), tmp_path / "project")


@pytest.mark.parametrize("engine", VARIANTS)
def test_every_type_with_every_suffix_is_green(
    rendered: Made, installed: Callable[..., Path], tmp_path: Path, run: Run, engine: str
) -> None:
    """An interrupted migration is left out: its statements are of the kinds in test_update.py."""
    project, tools = shutil.copytree(rendered(engine), tmp_path / "project"), installed(engine)

    made = run(project, "make", NAME="shelves", SINGULAR="shelf", FIELDS="name:text:unique")
    assert made.returncode == 0, made.stderr
    made = run(project, "make", NAME="things", FIELDS=f"{FIELDS} {REFS}")
    assert made.returncode == 0, made.stderr

    for command in ("ruff format --check", "ruff check", f"mypy --cache-dir={tools}/.mypy_cache ."):
        in_place_of(tools, project, engine, *command.split())
    migrations = [] if engine == "mongodb" else ["kit/test_sql_migrations"]
    names = ["shelves", "things", *migrations]
    run_tests(installed("adaptable"), project, engine, *names, without="interrupted")


# Run in a project before a feature is changed: rows go through the revision of the change. What
# imports the feature does so in a fork, as the next one is to import it anew.
THROUGH_THE_REVISION = """
import asyncio, json, os, runpy, sys
from multiprocessing import get_context
from pathlib import Path
import httpx2
from app.kit.dump.lines import Checksum
from app.kit.service import Service
from app.kit.storage import open_storage
from app.settings import Settings
from tests.kit.support import ENGINE, new_database, serving, url

def run(*commands):
    from app.cli import cli
    for command in commands:
        cli(command.split(), obj=Service("app.main:create_app", Settings), standalone_mode=False)

def fill(settings):
    from app.main import create_app
    run("migrate")
    with serving(create_app(settings)) as address, httpx2.Client(base_url=address) as client:
        for title, count in (("one", 1), ("two", None)):
            body = {"title": title, "count": count, "gone": f"http://a.b/{title}"}
            client.post("/bookmarks", json=body).raise_for_status()

def change(settings):
    sys.argv, sys.path[0] = ["tools/feature.py", "make"], "tools"
    runpy.run_path(sys.argv[0], run_name="__main__")

async def up_and_down(settings):
    from alembic import command
    from app.kit.migrations.sql import config

    async with open_storage(settings) as storage:
        for step, where in ((command.downgrade, "-1"), (command.upgrade, "heads")):
            await storage.migration(lambda connection: step(config(connection), where))

def carry(settings):
    run("migrate")
    if ENGINE.KIND == "sql":
        asyncio.run(up_and_down(settings))
    run("dump after.ndjson --feature bookmarks")

def load(settings):
    run(
        "migrate",
        "load before.ndjson --feature bookmarks",
        "dump loaded.ndjson --feature bookmarks",
    )

def on_a_database(*works):
    with new_database() as settings:
        os.environ["DATABASE_URL"] = url(settings)
        for work in works:
            fork = get_context("fork").Process(target=work, args=[settings])
            fork.start()
            fork.join()
            assert not fork.exitcode, work

on_a_database(fill, change, carry)
kept, checksum = [], Checksum("bookmarks")
for line in Path("after.ndjson").read_text().splitlines()[:-1]:
    values = json.loads(line)
    del values["price"], values["day"]
    kept.append(json.dumps(values).encode() + b"\\n")
checksum.add(*kept)
Path("before.ndjson").write_bytes(b"".join(kept) + checksum.closing_line())
on_a_database(load)
"""


@pytest.mark.parametrize("engine", VARIANTS[:-1])
def test_fields_change_with_edits_in_the_code_and_rows_in_the_database(
    rendered: Made,
    installed: Callable[..., Path],
    tmp_path: Path,
    run: Run,
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, tools = shutil.copytree(rendered(engine), tmp_path / "project"), installed(engine)
    before = "title:text(80) count:int? state:enum(a,b)=a:filter gone:url:unique"
    after = "title:text:filter count:int=7 state:enum(a,b,c)=c price:decimal(8,2)=1.5 day:date?"
    assert run(project, "make", NAME="bookmarks", FIELDS=before).returncode == 0
    routes = project / "src/app/bookmarks/routes.py"
    routes.write_text(routes.read_text() + "\n\n# Mine.\n")
    commit(project, "Edit")

    monkeypatch.setenv("NAME", "bookmarks")
    monkeypatch.setenv("FIELDS", after)
    in_place_of(installed("adaptable"), project, engine, "python", "-c", THROUGH_THE_REVISION)

    lines = map(json.loads, (project / "after.ndjson").read_text().splitlines()[:-1])
    rows = [{n: r[n] for n in ("title", "count", "state", "price", "day")} for r in lines]
    added = {"state": "a", "price": "1.50", "day": None}
    assert rows == [{"title": "one", "count": 1} | added, {"title": "two", "count": 7} | added]
    assert (project / "loaded.ndjson").read_text() == (project / "after.ndjson").read_text()
    assert routes.read_text().endswith("\n\n# Mine.\n")
    assert "gone" not in routes.with_name("models.py").read_text()
    for command in ("ruff format --check", "ruff check", f"mypy --cache-dir={tools}/.mypy_cache ."):
        in_place_of(tools, project, engine, *command.split())
    run_tests(installed("adaptable"), project, engine, "bookmarks")


REFUSED = {
    "no fields": ("books", "", "Give its fields"),
    "a package": ("notes", "a:text", "notes: the project has a module or package"),
    "a module": ("main", "a:text", "main: "),
    "of Python": ("fors", "a:text", "for: it is a word of Python's"),
    "a standard module": ("types", "a:text", "types: Python has a module"),
    "SQL": ("groups", "a:text", "groups: databases reserve"),
    "a form": ("Books", "a:text", "'Books' is no name"),
    "no singular": ("sheep", "a:text", "sheep: give its singular"),
    "an id": ("books", "id:int", "id: every resource has"),
    "a model": ("books", "model_x:int", "model_x: every resource has"),
    "a type": ("books", "a:money", "a: there is no type 'money'"),
    "JSON": ("books", "a:json", "a: json: JSON columns, lists and many-to-many are not offered"),
    "no type": ("books", "a", "'a' is no field"),
    "twice": ("books", "a:int a:int", "a: two fields have this name"),
    "nothing": ("books", "a:ref(shelves)", "ref(shelves): the project has no such feature"),
    "itself": ("books", "a:ref(books)", "ref(books): features cannot refer"),
    "a long text": ("books", "a:text(10001)", "a: text: its length is 1 to 10,000"),
    "bounds": ("books", "a:int(9,1)", "a: int: its bounds ascend"),
    "digits": ("books", "a:decimal(19,2)", "a: decimal: "),
    "a table of the example": ("comments", "a:text", "comments: the example or the tests have"),
    "a leading zero": ("books", "a:int(1,09)", "a: int: a bound is a whole number"),
    "a long default": ("books", f"a:text={'x' * 80}", "src/app/books/models.py would have a line"),
    "an open quote": ("books", "a:text='x", "FIELDS: No closing quotation"),
    "one bound": ("books", "a:int(1)", "a: int: write int or int(1,10)"),
    "an option": ("books", "a:int:index", "a: a field may have :unique and :filter"),
} | {
    f"the default {form}": ("books", f"a:{form}", "a: the default ")
    for form in (
        *(
            "text(2)=abc",
            "url=x",
            "email=x",
            "int=1.5",
            "int(1,9)=10",
            "decimal(4,2)=1.555",
            "decimal(4,0)=1.5",
        ),
        *("bool=1", "date=2026-02-30", "datetime=2026-11-27", "uuid=1", "enum(a,b)=c"),
    )
}


REFUSED |= {
    f"{fields} of {plural}": (plural, fields, f"{name}: the code of a feature has something else")
    for plural, fields, name in (
        ("books", "a:int limit:int:filter", "limit"),
        ("books", "a:int found:text:filter", "found"),
        ("books", "books:int:filter", "books"),
        ("books", "date:date=2026-01-01", "date"),
        ("books", "change:text", "change"),
        ("books", "repository:text:filter", "repository"),
        *((name, "a:int", name) for name in ("partials", "protocols", "dumps", "pages", "emails")),
    )
}
"""What would be two things of one name in the code."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_made_is_one_line(rendered: Made, run: Run, name: str) -> None:
    project, (plural, fields, words) = rendered("sqlite"), REFUSED[name]
    before = tree(project)

    done = run(project, "make", NAME=plural, FIELDS=fields)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {words}")
    assert done.stderr.count("\n") == 1
    assert (done.stdout, tree(project)) == ("", before)


def test_the_table_of_migrations_is_no_feature(project: Path, run: Run) -> None:
    done = run(project, "make", NAME="alembic_version", SINGULAR="alembic", FIELDS="a:text")

    assert done.stderr == "Error: alembic_version: migrations may have a table of that name\n"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("a:int b:text", "b: rows that are there would have no value"),
        ("a:int b:text=x:unique", "b: rows that are there would all have the default"),
        ("a:text", "a: int cannot become text"),
        ("a:int(1,9)", "a: rows that are there may break the narrower rule"),
    ],
)
def test_a_change_that_rows_may_break_is_refused(
    project: Path, run: Run, fields: str, words: str
) -> None:
    assert run(project, "make", NAME="books", FIELDS="a:int").returncode == 0
    before = tree(project)

    done = run(project, "make", NAME="books", FIELDS=fields)

    assert (done.returncode, done.stderr.startswith(f"Error: {words}")) == (1, True)
    assert tree(project) == before


def functions(path: Path) -> dict[str, str]:
    """Return the functions of a module and its classes, without docstrings and decorators."""
    found = {}
    module = ast.parse(path.read_text())
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    for node in [*module.body, *(line for each in classes for line in each.body)]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.decorator_list = []
            node.body = node.body[ast.get_docstring(node) is not None :]
            found[node.name] = ast.unparse(node).replace("sql.", "")
    return found


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("routes", ()),
        ("mongodb", ("latest",)),  # Of notes there are no filters.
        ("sql", ("__init__", "latest", "add", "dump", "load")),  # Comments have another table.
    ],
)
def test_notes_have_the_shape_of_what_is_generated(
    template: Path, rendered: Made, tmp_path: Path, run: Run, module: str, others: tuple[str, ...]
) -> None:
    render(template, "adaptable", tmp_path / "project", example="none")
    assert run(tmp_path / "project", "make", NAME="notes", FIELDS="content:text").returncode == 0
    made, notes = (
        functions(project / f"src/app/notes/{module}.py")
        for project in (tmp_path / "project", rendered("adaptable"))
    )

    assert [name for name in notes if name in made] == [*made]
    assert {n: c for n, c in notes.items() if n in made and n not in others} == {
        n: c for n, c in made.items() if n not in others
    }


def test_five_fields_take_few_lines(project: Path, run: Run) -> None:
    fields = "isbn:text(80):unique price:decimal(12,2):filter genre:enum(prose,verse)=prose:filter"
    run(project, "make", NAME="shelves", SINGULAR="shelf", FIELDS="name:text")
    more = "shelf:ref(shelves)?:filter printed_on:date?"
    assert run(project, "make", NAME="rare_books", FIELDS=f"{fields} {more}").returncode == 0

    for folder, most in (("src/app/rare_books", 330), ("tests/rare_books", 130)):
        texts = [path.read_text() for path in (project / folder).iterdir()]
        assert sum(text.count("\n") for text in texts) <= most


def test_a_dry_run_writes_nothing(project: Path, run: Run) -> None:
    before = tree(project)

    done = run(project, "make", NAME="books", FIELDS="a:int", DRY_RUN="1")

    assert done.returncode == 0
    assert "    src/app/books/models.py\n" in done.stdout
    assert tree(project) == before


def test_edits_that_contradict_a_change_are_marked(project: Path, run: Run) -> None:
    assert run(project, "make", NAME="books", FIELDS="a:text(80)").returncode == 0
    models = project / "src/app/books/models.py"
    models.write_text(models.read_text().replace("Text(80)", "Text(60)"))
    commit(project, "Edit")

    done = run(project, "make", NAME="books", FIELDS="a:text(90)")

    assert done.returncode == 1
    assert done.stdout.count("    src/app/books/models.py\n") == 2
    assert "<<<<<<< before updating\nBookA = Annotated[str, Text(60)]\n" in models.read_text()


def test_the_file_of_a_specification_can_be_edited(project: Path, run: Run) -> None:
    run(project, "make", NAME="books", FIELDS="a:text(80) b:int?")
    file = project / "src/app/books/feature.toml"
    head, made = file.read_text().split("# What")
    edited = head.replace('a = "text(80)"', '# Ours.\na = "text(90):filter"  # Long.')
    file.write_text(f"{edited}# What{made}")

    assert run(project, "make", NAME="books").returncode == 0

    assert file.read_text() == f"{edited}# What{made.replace('text(80)', 'text(90):filter')}"
    assert "Text(90)" in file.with_name("models.py").read_text()

    fields = "b:int?:filter c:date? a:text(90)"
    assert run(project, "make", NAME="books", FIELDS=fields).returncode == 0

    table = 'b = "int?:filter"\nc = "date?"\n# Ours.\na = "text(90)"  # Long.\n\n# What'
    assert f"[fields]\n{table}" in file.read_text()
    assert "\n[made]\n" + 'b = "int?:filter"\nc = "date?"\na = "text(90)"\n' in file.read_text()


def test_fields_with_names_of_types_are_made(
    installed: Callable[..., Path], project: Path, run: Run
) -> None:
    names = (
        "date:date? datetime:datetime? uuid:uuid enum:enum(a,b)=a decimal:decimal(4,2)=1 url:url"
    )
    more = "str:text int:int bool:bool=true list:text? type:text:filter any:date:filter sa:int?"
    made = run(project, "make", NAME="things", FIELDS=f"{names} {more}")
    assert made.returncode == 0, made.stderr

    tools = installed("sqlite")
    in_place_of(tools, project, "sqlite", "mypy", f"--cache-dir={tools}/.mypy_cache", ".")
    in_place_of(tools, project, "sqlite", "ruff", "check")
    tests = ["tests/things", "tests/test_properties.py"]
    in_place_of(installed("adaptable"), project, "sqlite", "pytest", *tests)


def test_what_was_made_can_be_removed(
    installed: Callable[..., Path], project: Path, run: Run
) -> None:
    before = tree(project)
    for name, singular, fields in (("shelves", "shelf", "a:int"), ("books", "", "a:ref(shelves)")):
        assert run(project, "make", NAME=name, SINGULAR=singular, FIELDS=fields).returncode == 0

    refused = run(project, "remove", NAME="shelves")
    assert refused.stderr == "Error: shelves: books refers to it; remove that first\n"
    for name in ("books", "shelves"):
        assert run(project, "remove", NAME=name).returncode == 0

    after = tree(project)
    revisions = {name for name in after if "/migrations/sql/versions/" in name}
    assert {n: t for n, t in after.items() if n not in revisions} == {
        n: t for n, t in before.items() if n not in revisions
    }
    run_tests(installed("adaptable"), project, "sqlite", "kit/test_sql_migrations")
    nothing = run(project, "remove", NAME="books")
    assert nothing.stderr.startswith("Error: books: the project has no feature of that name")
