"""What an owner does with a generated project: a second feature, and edits all over.

The feature is the one of docs/extend.md, taken from there.
"""

import re
from pathlib import Path

GUIDE = Path(__file__).parent.parent / "docs/extend.md"
FEATURE = Path("src/app/bookmarks")
MIGRATIONS = Path("src/app/migrations")

SQL_REVISION = '''"""add bookmarks."""

import sqlalchemy as sa
from alembic import op

revision = "5f1c0a7be2d4"
down_revision = "0001"
branch_labels = None
depends_on = None


'''

EDITS = {
    "README.md": (
        "# Team Notes\n\nNotes and comments over HTTP.\n",
        "# Ours\n\nAsk Ada about it.\n",
    ),
    "compose.yaml": ("\n\nvolumes:\n", "\n\n  mail:\n    image: mail:1\n\nvolumes:\n"),
    "src/app/settings.py": (
        'of ``.env``; the environment wins."""\n',
        'of ``.env``; the environment wins."""\n\n    greeting: str = "Hello"\n',
    ),
    "pyproject.toml": (
        "sys_platform != 'win32'\",\n",
        'sys_platform != \'win32\'",\n    "idna",\n',
    ),
    "Makefile": ("dev: setup", "greet: ## Say hello\n\t@echo Hello\n\ndev: setup"),
    "Dockerfile": ("EXPOSE 3000\n", "EXPOSE 3000\nLABEL team=notes\n"),
    "src/app/notes/routes.py": ("newest first.", "the newest of them first."),
}
"""A text of a file from the template, and what the owner makes of it."""

OWN_FILES = {
    "docs/on-call.md": "# On call\n",
    "src/app/greeting.py": '"""Says hello."""\n\nGREETING = "Hello"\n',
    "tests/test_greeting.py": (
        "from app.greeting import GREETING\nfrom app.settings import Settings\n\n\n"
        "def test_greeting(settings: Settings) -> None:\n"
        "    assert settings.greeting == GREETING\n"
    ),
}


def kinds(database: str) -> set[str]:
    """Return the kinds of repositories that a variant has."""
    return {"adaptable": {"sql", "mongodb"}, "mongodb": {"mongodb"}}.get(database, {"sql"})


def names_of_tests(database: str) -> list[str]:
    """Return the names of the tests of what the owner did, and of the migrations."""
    migrations = "mongodb_migrations" if database == "mongodb" else "sql_migrations"
    return ["test_bookmarks", "test_greeting", f"kit/test_{migrations}"]


def live_in(project: Path, database: str) -> None:
    """Do to a project what an owner does."""
    for name, (text, edited) in EDITS.items():
        content = (project / name).read_text()
        assert content.count(text) == 1, name
        (project / name).write_text(content.replace(text, edited))
    for name, content in OWN_FILES.items() | feature(kinds(database)).items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)


def feature(kinds: set[str]) -> dict[str, str]:
    """Return the files of the owner's feature, by their paths."""
    files = {str(FEATURE / "__init__.py"): '"""Bookmarks."""\n'}
    for name, code in documented().items():
        if name.endswith(".py") and name not in ("sql.py", "mongodb.py"):
            files[name if "/" in name else str(FEATURE / name)] = code
    for kind in kinds:
        files |= of_kind(kind)
    return files


def of_kind(kind: str) -> dict[str, str]:
    """Return the files of the feature that are for one kind of database."""
    code = documented()
    revision = {
        "sql": ("5f1c0a7be2d4_add_bookmarks.py", SQL_REVISION + code["revision"]),
        "mongodb": ("0002_bookmarks.py", code["revision of mongodb"]),
    }[kind]
    return {
        str(FEATURE / f"{kind}.py"): code[f"{kind}.py"],
        str(MIGRATIONS / kind / "versions" / revision[0]): revision[1],
    }


def documented() -> dict[str, str]:
    """Return the code of docs/extend.md by the file that it is for."""
    found: dict[str, str] = {}
    for section in GUIDE.read_text().split("\n## ")[1:]:
        file = re.match(r"[a-z_/]+\.py", section)
        for code in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            name = file[0] if file else "revision"
            found[f"{name} of mongodb" if name in found else name] = code
    return found
