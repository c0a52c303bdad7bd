"""Write a new, empty revision: ``python -m app.kit.migrations.mongodb "add colours"``."""

import re
import sys
from pathlib import Path

from app.kit.migrations import mongodb

REVISION = '''"""{title}."""

from app.kit.migrations.mongodb import Database


async def upgrade(database: Database) -> None:
    ...
'''


def write(title: str, folder: Path = mongodb.VERSIONS) -> Path:
    """Write an empty revision that comes after all others."""
    number = 1 + max((int(name.partition("_")[0]) for name in mongodb.revisions()), default=0)
    name = re.sub("[^a-z0-9]+", "_", title.lower()).strip("_")
    path = folder / f"{number:04}_{name}.py"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(REVISION.format(title=title), encoding="utf-8")
    return path


if __name__ == "__main__":
    print(write(" ".join(sys.argv[1:])))
