"""A project's life: features, later fields, edits, switches, updates and removals in any order.

The sequences are made up from seeds, so they are the same ones each time. What was generated and
not edited must be as if generated anew; edits are kept; revisions end in one head.
"""

import re
import subprocess
from pathlib import Path
from random import Random

import pytest

from conftest import VARIANTS, Made, Run, commit, render, run_tests, tree
from next_release import NEXT

FIELDS = ["name:text(80):unique", "count:int?:filter", "state:enum(a,b)=a", "price:decimal(8,2)=1"]
FIELDS += ["due:date?:filter", "seen:datetime?", "site:url?", "owner:ref(authors)?:filter"]
NAMES = ("authors", "articles", "loans")
EDIT = "\n\n# Ours.\n"
STEPS = 8


class Life:
    """A project, and what its owner knows of it."""

    def __init__(self, project: Path, run: Run, seed: int) -> None:
        self.project, self.run, self.chance = project, run, Random(seed)
        self.engine, self.version = "sqlite", "v999.0.0"
        self.fields: dict[str, list[str]] = {}
        self.edited: set[str] = set()

    def step(self) -> None:
        """Do one thing that is possible now."""
        steps = [self.switch, self.edit] if self.fields else []
        steps += [self.feature] * 3 + [self.update, self.remove]
        self.chance.choice(steps)()

    def feature(self) -> None:
        """Make a feature, or change its fields."""
        name = self.chance.choice([n for n in NAMES if n == "authors" or "authors" in self.fields])
        known = self.fields.get(name, [])
        possible = [f for f in FIELDS if name != "authors" or "ref" not in f]
        more = [f for f in possible if f not in known and (not known or "unique" not in f)]
        kept = [f for f in known if self.chance.random() < 0.9]
        fields = kept + self.chance.sample(more, min(len(more), self.chance.randint(1, 3)))
        if fields != known:
            self.done(self.run(self.project, "make", NAME=name, FIELDS=" ".join(fields)))
            self.fields[name] = fields

    def switch(self) -> None:
        """Change the engine."""
        self.engine = self.chance.choice([each for each in VARIANTS if each != self.engine])
        self.done(self.run(self.project, "switch", "--", self.engine, tool="template"))

    def update(self) -> None:
        """Take the newer release, once."""
        if self.version != NEXT:
            self.version = NEXT
            self.done(self.run(self.project, "update", tool="template"))

    def edit(self) -> None:
        """Edit a file that all engines share."""
        name = self.chance.choice(sorted(self.fields))
        path = self.project / f"src/app/{name}/routes.py"
        if str(path) not in self.edited:
            self.edited.add(str(path))
            path.write_text(path.read_text() + EDIT)
            commit(self.project, "Edit")

    def remove(self) -> None:
        """Remove a feature that no other refers to."""
        referring = any("ref" in f for n in self.fields for f in " ".join(self.fields[n]).split())
        free = [n for n in self.fields if n != "authors" or not referring]
        if free:
            name = self.chance.choice(sorted(free))
            self.done(self.run(self.project, "remove", NAME=name))
            del self.fields[name]
            self.edited.discard(str(self.project / f"src/app/{name}/routes.py"))

    def done(self, result: subprocess.CompletedProcess[str]) -> None:
        assert result.returncode == 0, result.stdout + result.stderr


def heads(project: Path) -> int:
    """Return how many revisions of SQL have none after them."""
    texts = [p.read_text() for p in (project / "src/app/migrations/sql/versions").glob("*.py")]
    form = r'^{}\b.*= "(\w+)"'
    made, followed = (
        {name for text in texts for name in re.findall(form.format(word), text, re.MULTILINE)}
        for word in ("revision", "down_revision")
    )
    return len(made - followed)


@pytest.mark.parametrize("seed", range(3))
def test_a_life_leads_to_what_would_be_generated_now(
    releases: Path, installed: Made, tmp_path: Path, run: Run, seed: int
) -> None:
    project, new = tmp_path / "project", tmp_path / "new"
    render(releases, "sqlite", project, "v999.0.0")
    life = Life(project, run, seed)

    for _ in range(STEPS):
        life.step()
        assert heads(project) <= 1

    render(releases, life.engine, new, life.version)
    for name, fields in life.fields.items():
        life.done(run(new, "make", NAME=name, FIELDS=" ".join(fields)))
    found, wanted = tree(project), tree(new)
    revisions = {n for n in found.keys() | wanted.keys() if "/versions/" in n}
    for name in (found.keys() | wanted.keys()) - revisions:
        edit = EDIT.encode() if str(project / name) in life.edited else b""
        assert found.get(name) == wanted.get(name, b"") + edit, name
    kind = "mongodb" if life.engine == "mongodb" else "sql"
    engine = "sqlite" if life.engine == "adaptable" else life.engine
    run_tests(installed(life.engine), project, engine, f"kit/test_{kind}_migrations")
