"""Make the pictures of README.md, from what runs: `make pictures`."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ownership import draw
from session import record

from binaries import run
from servers import free_port

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs/pictures"


def generate(database: str, folder: Path) -> Path:
    """Generate a project."""
    answers = ("--data", "project_name=Team Notes", "--data", f"database={database}")
    run("copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD", *answers, ROOT, folder)
    return folder


def main() -> None:
    """Make all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch:
        draw(generate("sqlite", Path(scratch, "default")), PICTURES / "ownership.svg")
        full = generate("adaptable", Path(scratch, "full"))
        run("make", "setup", cwd=full)
        script = Path(__file__).with_name("request.py")
        paths = os.environ | {"PYTHONPATH": os.pathsep.join((str(full), str(script.parent)))}
        run(full / ".venv/bin/python", script, PICTURES, cwd=full, env=paths)
        server = os.environ["TEST_POSTGRES_URL"]
        template = Path(scratch, "template")
        run("git", "clone", "--quiet", ROOT, template)  # What is not committed has no version.
        record(template, Path(scratch), server, free_port(), PICTURES / "session.svg")


if __name__ == "__main__":
    sys.exit(main())
