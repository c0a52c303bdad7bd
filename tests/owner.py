"""What an owner does with a generated project: features, and edits all over.

The features are made by the project's own tool. Bookmarks get what docs/extend.md adds
by hand; shelves lose their specification, so that no tool follows them, as if written by hand.
"""

import re
import subprocess
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

GUIDE = Path(__file__).parent.parent / "docs/extend.md"
MIGRATIONS = Path("src/app/migrations")

FEATURES = (
    {"NAME": "bookmarks", "FIELDS": "address:url title:text state:enum(new,read)=new:filter"},
    {"NAME": "shelves", "SINGULAR": "shelf", "FIELDS": "name:text(80):unique"},
)
BY_HAND = "src/app/shelves"

TITLES = ("add_bookmarks", "add_shelves", "read_old")
LINES = {
    "sql": ("0001", "5f1c0a7be2d4", "a06d3b1e94f7", "c4e29d80a1b3"),
    "mongodb": ("0001", "0002", "0003", "0004"),
}
"""The template's revision and after it those of the owner, which have the titles."""

OWN_REVISIONS = {
    "sql": '''"""Have read what is old."""

from alembic import op

revision = "c4e29d80a1b3"
down_revision = "a06d3b1e94f7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE bookmarks SET state = 'read' WHERE title = 'Old'")


def downgrade() -> None:
    """Change nothing."""
''',
    "mongodb": '''"""Have read what is old."""

from app.kit.migrations.mongodb import Database


async def upgrade(database: Database) -> None:
    await database.bookmarks.update_many({"title": "Old"}, {"$set": {"state": "read"}})


async def downgrade(database: Database) -> None:
    """Change nothing."""
''',
}

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
    "src/app/cli.py": (
        "def main() -> None:\n",
        '@cli.command()\ndef greet() -> None:\n    """Say hello."""\n    print("Hello")\n\n\n'
        "def main() -> None:\n",
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
    own = ["bookmarks/test_bookmarks", "bookmarks/test_reading", "shelves/test_shelves"]
    return [*own, "test_greeting", f"kit/test_{migrations}"]


def live_in(
    project: Path, database: str, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Do to a project what an owner does; ``run`` runs its tools."""
    for variables in FEATURES:
        made = run(project, "make", **variables)
        assert made.returncode == 0, made.stderr
    (project / BY_HAND / "feature.toml").unlink()
    name_revisions(project)
    route, test = by_hand()
    delete = "@router.delete(\n"
    edits = EDITS | {"src/app/bookmarks/routes.py": (delete, f"{route}\n\n{delete}")}
    for name, (text, edited) in edits.items():
        content = (project / name).read_text()
        assert content.count(text) == 1, name
        (project / name).write_text(content.replace(text, edited))
    for name, content in (OWN_FILES | {"tests/bookmarks/test_reading.py": test}).items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    for kind in kinds(database):
        name = f"{LINES[kind][-1]}_{TITLES[-1]}.py"
        (project / MIGRATIONS / kind / "versions" / name).write_text(OWN_REVISIONS[kind])


def name_revisions(project: Path) -> None:
    """Give the owner's revisions their names in ``LINES``, as those on SQL are random."""
    for kind, line in LINES.items():
        for title, (before, name) in zip(TITLES, pairwise(line), strict=True):
            for path in (project / MIGRATIONS / kind / "versions").glob(f"*_{title}.py"):
                text = re.sub('(\nrevision: str = ").*"', rf'\g<1>{name}"', path.read_text())
                text = re.sub('(\ndown_revision: .* = ").*"', rf'\g<1>{before}"', text)
                path.unlink()
                path.with_name(f"{name}_{title}.py").write_text(text)


def of_kind(names: Iterable[str], kind: str) -> set[str]:
    """Return which files are the owner's, for one kind of database, and followed by no tool."""
    revisions = tuple(f"_{title}.py" for title in TITLES)
    versions = f"{MIGRATIONS}/{kind}/versions/"
    found = {name for name in names if name.startswith(versions) and name.endswith(revisions)}
    return found | {f"{BY_HAND}/{kind}.py"}


def by_hand() -> list[str]:
    """Return the code of docs/extend.md: a route of bookmarks, and its test."""
    return re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
