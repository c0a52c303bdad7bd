"""A release of the template that there is not: what an update has to bring."""

from pathlib import Path

NEXT = "v1000.0.0"

CHANGES = {
    "README.md.jinja": (
        "`make help` lists the other commands.",
        "`make help` lists what else there is.",
    ),
    "src/app/kit/settings.py": ("    port: int", '    banner: str = ""\n    port: int'),
    "pyproject.toml.jinja": ('"fastapi[', '"packaging",\n    "fastapi['),
    "tools/templates/routes.py.j2": (
        "Delete {{ a_singular }}.",
        "Delete {{ a_singular }} for good.",
    ),
    "compose.yaml.jinja": ("init: true", "init: true\n    stop_grace_period: 15s"),
}
"""A text of the template, and what the next release makes of it."""

SQL_REVISION = '''"""Nothing new."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing."""
'''
MONGODB_REVISION = '''"""Nothing new."""

from app.kit.migrations.mongodb import Database


async def upgrade(database: Database) -> None:
    await database.command("ping")


async def downgrade(database: Database) -> None:
    """Change nothing."""
'''
ADDED = {
    "src/app/migrations/sql/versions/0002_nothing.py": SQL_REVISION,
    "src/app/migrations/mongodb/versions/0002_nothing.py": MONGODB_REVISION,
    "SECURITY.md": "# Security\n",
}
REMOVED = ".dockerignore"

QUESTION = """cache:
  type: str
  help: Where does it keep what is asked for often?
  choices: [none, redis]
  default: none

# Computed:"""
EXCLUDED = """_exclude:
  - "{% if cache | default('none') != 'redis' %}*redis*{% endif %}"
"""
OF_THE_QUESTION = "src/app/kit/redis.py"


def make_next(template: Path) -> None:
    """Change the files of a template to those of its next release."""
    for name, (text, changed) in CHANGES.items():
        path = template / name
        assert text in path.read_text(), name
        path.write_text(path.read_text().replace(text, changed))
    for name, text in ADDED.items():
        (template / name).write_text(text)
    (template / REMOVED).unlink()
    (template / OF_THE_QUESTION).write_text('"""A cache."""\n')
    questions = template.parent / "copier.yml"
    text = questions.read_text().replace("# Computed:", QUESTION).replace("_exclude:\n", EXCLUDED)
    questions.write_text(text)
