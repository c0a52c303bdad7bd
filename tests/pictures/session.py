"""The picture of a session: each command is run, and what it prints is what the picture shows."""

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from textwrap import wrap

import httpx2
from svg import Picture

COPIER = "copier copy --defaults --vcs-ref HEAD"
COLUMNS = 100
SHOWN = 6  # lines of what a command prints; the first of more are left out
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SERVED = "127.0.0.1:3000"


@dataclass
class Session:
    """A shell in a folder, and what was typed and printed in it."""

    folder: Path
    env: dict[str, str]
    hidden: dict[str, str]
    lines: list[tuple[str, str]] = field(default_factory=list)

    def say(self, remark: str) -> None:
        """Add a remark."""
        self.lines += [("", ""), (f"# {remark}", "soft")]

    def run(self, typed: str, *, shown: int = SHOWN) -> None:
        """Run a command line, and add the end of what it prints."""
        self.lines.append((f"$ {typed}", "accent"))
        command = typed
        for readable, real in self.hidden.items():
            command = command.replace(readable, real)
        done = subprocess.run(
            ["bash", "-euc", command], cwd=self.folder, env=self.env, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{typed}: {done.stdout}{done.stderr}")
        self._print(done.stdout + done.stderr, shown)

    def serve(self, typed: str) -> "Popen[bytes]":
        """Start the service by a command line, and return once it is ready."""
        self.lines.append((f"$ {typed} &", "accent"))
        service = Popen(
            typed.split(),
            cwd=self.folder,
            env=self.env,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )
        for _ in range(300):
            with suppress(httpx2.TransportError):
                if httpx2.get(f"http://{self.hidden[SERVED]}/health/ready").is_success:
                    return service
            time.sleep(0.1)
        raise SystemExit(f"{typed}: it is not ready")

    def draw(self, path: Path) -> None:
        """Write the picture."""
        picture = Picture("A session: generate, serve, add a resource, change the database")
        for number, (line, kind) in enumerate(self.lines):
            picture.text(20, 30 + 18 * number, line, kind)
        picture.write(path)

    def _print(self, text: str, shown: int) -> None:
        for readable, real in self.hidden.items():
            text = text.replace(real, readable)
        lines = [line.rstrip() for line in COLOURS.sub("", text).splitlines() if line.strip()]
        if len(lines) > shown:
            lines = ["…", *lines[-shown:]]
        self.lines += [
            (part, "") for line in lines for part in wrap(line, COLUMNS, subsequent_indent="  ")
        ]


def record(template: Path, folder: Path, server: str, port: int, path: Path) -> None:
    """Run the session with a PostgreSQL server, and write its picture."""
    person = {
        f"GIT_{who}_{what}": "ada@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    hidden = {
        "uvx copier copy gh:OWNER/adaptable-backend": f"{COPIER} {template}",
        SERVED: f"127.0.0.1:{port}",
        "postgresql://app:…@db.example.org/app": server,
    }
    shell = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    session = Session(folder, shell | person | {"PORT": str(port)}, hidden)
    session.say(
        "Generate a service. Its name follows from the folder; everything else has a default."
    )
    session.run("uvx copier copy gh:OWNER/adaptable-backend my-service", shown=1)
    session.folder = folder / "my-service"
    session.lines.append(("$ cd my-service", "accent"))
    session.run(
        "git init --quiet && make setup && git add . && git commit -qm 'Generate the service'",
        shown=0,
    )
    with session.serve("make dev") as service:
        session.run(f'curl -s {SERVED}/notes --json \'{{"content": "Water the plants"}}\'')
        end(service)
    session.say(
        "A resource of your own: models, routes, SQL, a revision and tests, as code to edit."
    )
    session.run('make feature NAME=bookmarks FIELDS="address:url title:text"')
    session.run("git add . && git commit -qm 'Add bookmarks'")
    session.say("Another database, with all the data and without a change of your code.")
    session.run("make dump")
    session.run("make switch DATABASE=postgres")
    session.run(
        "sed -i 's|^DATABASE_URL=.*|DATABASE_URL=postgresql://app:…@db.example.org/app|' .env"
    )
    session.run("make load")
    with session.serve("make dev") as service:
        session.run(f"curl -s {SERVED}/notes")
        end(service)
    session.draw(path)


def end(service: "Popen[bytes]") -> None:
    """End ``make dev`` with all that it started."""
    os.killpg(service.pid, signal.SIGINT)
    service.wait(20)
