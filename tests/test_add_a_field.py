"""What docs/add-a-field.md says, tried on each engine, also with other types."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import ROOT, SERVERS, Made, in_place_of, run_tests
from made_once import once

PAGE = ROOT / "docs/add-a-field.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
MODELS = Path("src/app/notes/models.py")
VERSIONS = Path("src/app/migrations")
SQL_HEAD = '''"""Add {name}."""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{last}"
branch_labels = None
depends_on = None


'''
TEST = '''"""Notes that have {name}."""

import httpx2


def test_what_is_false_is_a_value(client: httpx2.Client) -> None:
    note = client.post("/notes", json={{"content": "x", "{name}": {value!r}}}).json()["data"]
    path = f"/notes/{{note['id']}}"
    kept = client.patch(path, json={{"content": "y"}}).json()["data"]
    cleared = client.patch(path, json={{"{name}": {default}}}).json()["data"]

    assert [each["{name}"] for each in (note, kept, cleared)] == [{value!r}, {value!r}, {default}]
    assert client.get(path).json()["data"] == cleared
    assert client.patch(path, json={{"{name}": {wrong}}}).status_code == 422
'''


@dataclass(frozen=True)
class Field:
    """A field in the place of the one of the page."""

    name: str
    type: str
    default: str
    column: str
    rule: str
    value: object = True
    wrong: str = "None"

    def instead(self, text: str) -> str:
        """Return a text of the page about this field."""
        changes = {
            'sa.Boolean(), server_default="0", nullable=False': self.column,
            '{"bsonType": "bool"}': self.rule,
            "fields.Flag = False": f"{self.type} = {self.default}",
            "fields.Flag": self.type,
            "Field(default=False)": f"Field(default={self.default})",
            "pinned": self.name,
        }
        for old, new in changes.items():
            text = text.replace(old, new)
        return text


OF_THE_PAGE = Field(
    "pinned",
    "fields.Flag",
    "False",
    'sa.Boolean(), server_default="0", nullable=False',
    '{"bsonType": "bool"}',
)
OTHERS = [
    Field(
        "stars",
        "Annotated[int, Field(strict=True, ge=0, le=5)]",
        "0",
        'sa.Integer(), server_default="0", nullable=False',
        '{"bsonType": ["int", "long"], "minimum": 0, "maximum": 5}',
        5,
        "6",
    ),
    Field(
        "place",
        "Annotated[str, fields.Text(80, min_length=0)]",
        '""',
        'sa.String(80), server_default="", nullable=False',
        '{"bsonType": "string", "minLength": 0, "maxLength": 80}',
        "home",
    ),
    Field(
        "due",
        "fields.Date | None",
        "None",
        "sa.Date(), nullable=True",
        '{"anyOf": [{"bsonType": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, '
        '{"bsonType": "null"}]}',
        "2026-11-27",
        '"2026-02-30"',
    ),
]


def blocks(language: str) -> list[str]:
    """Return the page's code."""
    return [code for kind, code in BLOCK.findall(PAGE.read_text()) if kind == language]


def sides(block: str, fields: list[Field]) -> tuple[str, str]:
    """Return a difference's old text and its new one, with the fields in place of the page's."""
    old, new = [], []
    for line in block.splitlines():
        text = f"{line[1:]}\n"
        if not line.startswith("+"):
            old.append(text)
        if not line.startswith("-"):
            new += [each.instead(text) for each in fields] if "pinned" in text else [text]
    return "".join(old), "".join(new)


def add(project: Path, fields: list[Field]) -> None:
    """Do what the page says, with these fields."""
    models = (project / MODELS).read_text()
    for block in blocks("diff"):
        old, new = sides(block, fields)
        assert models.count(old) == 1, old
        models = models.replace(old, new)
    (project / MODELS).write_text(models)
    sql, mongodb, _ = blocks("python")
    for number, field in enumerate(fields, 2):
        head = SQL_HEAD.format(name=field.name, number=f"{number:04}", last=f"{number - 1:04}")
        for kind, text in {"sql": head + sql, "mongodb": mongodb}.items():
            revision = project / VERSIONS / kind / f"versions/{number:04}_{field.name}.py"
            revision.write_text(field.instead(text))


ALL = [OF_THE_PAGE, *OTHERS]


@pytest.fixture(scope="session")
def project(rendered: Made, shared: Path) -> Path:
    """The folder of an adaptable project with all these fields, and with tests of them."""

    def make(project: Path) -> None:
        shutil.copytree(rendered("adaptable"), project)
        add(project, ALL)
        (project / "tests/test_pinned.py").write_text(blocks("python")[-1])
        for field in OTHERS:
            values = {"value": field.value, "default": field.default, "wrong": field.wrong}
            text = TEST.format(name=field.name, **values)
            (project / f"tests/test_{field.name}.py").write_text(text)

    return once(shared / "added-fields", make)


def test_it_is_five_lines_in_one_file() -> None:
    added = [x for block in blocks("diff") for x in block.splitlines() if x.startswith("+")]

    assert len([line for line in added if line != "+"]) == 5


def test_what_the_page_says_passes_checks(installed: Made, project: Path) -> None:
    home = installed("adaptable")
    revisions = [str(VERSIONS / kind / "versions/0002_pinned.py") for kind in ("sql", "mongodb")]

    in_place_of(home, project, "sqlite", "ruff", "check", str(MODELS), *revisions)
    in_place_of(home, project, "sqlite", "ruff", "format", "--check", str(MODELS), *revisions)
    in_place_of(home, project, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")


@pytest.mark.parametrize("engine", ["sqlite", *SERVERS])
def test_what_the_page_says_passes_tests(installed: Made, project: Path, engine: str) -> None:
    """Also that null and what is false are values of fields of other types."""
    kind = "mongodb" if engine == "mongodb" else "sql"
    tests = [f"test_{field.name}" for field in ALL]

    names = [*tests, f"kit/test_{kind}_migrations", "notes"]
    run_tests(installed("adaptable"), project, engine, *names)
