"""A project's life: features, later fields, edits, switches, updates and removals, with data.

One life is told step by step, others are made up from seeds. What was generated must be as if
generated anew, with the same edits; data survive; revisions end in one head; all tests pass.
"""

import json
import re
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conftest import VARIANTS, Made, Run, commit, in_place_of, render, run_tests, tree
from next_release import NEXT

LIBRARY = {
    "authors": "name:text(80):unique email:email?:unique country:enum(de,fr,other)=other:filter",
    "articles": "title:text(200):filter price:decimal(12,2)=0:filter author:ref(authors):filter"
    " reviewer:ref(authors)? published:date?:filter",
    "loans": "article:ref(articles):unique borrower:email:filter due:date? returned:bool=false",
}
LATER = "pages:int(1,9999)?:filter language:enum(en,de)=en:filter fee:decimal(6,3)? at:datetime?"
STEPS = 7

ROUTE = '''@router.get("/newest", responses=documented(422))
async def newest_{name}({name}: {classes}) -> Data[list[{one}]]:
    """Return the newest one, if there is any."""
    return Data(await {name}.newest())


@router.post("", '''
METHOD = """
    {operation}async def newest(self) -> list[{one}]:
        {body}
"""
BODIES = {
    "src/app/{name}/repository.py": '"""Return the newest one, if there is any."""\n        ...',
    "src/app/{name}/sql.py": "return await self.{name}.find(FIRST_PAGE, limit=1)",
    "src/app/{name}/mongodb.py": "return await self.{name}.page(1, None)",
    "tests/{name}/memory.py": "return await self.latest(limit=1)",
}
TEST = '''"""The newest of {name}."""

import httpx2

from tests.kit.support import delete_all
from tests.{name} import samples


def test_the_newest_is_found(client: httpx2.Client) -> None:
    stored = samples.stored(client)

    assert client.get("/{name}/newest").json()["data"] == [stored]
    delete_all(client, *samples.PATHS)
'''


def edit(project: Path, name: str) -> None:
    """Add a query and a route to a feature, with a test, and change a message."""
    one, classes = name.capitalize().removesuffix("s"), name.capitalize()
    routes = project / f"src/app/{name}/routes.py"
    text = routes.read_text()
    if "newest_" not in text:
        text = text.replace('@router.post("", ', ROUTE.format(name=name, one=one, classes=classes))
        routes.write_text(text.replace('"""Store a new', '"""Keep a new'))
    for form, body in BODIES.items():
        path = project / form.format(name=name)
        if path.exists() and "newest" not in path.read_text().replace("newest first", ""):
            operation = "@operation\n    " if path.stem in ("sql", "mongodb") else ""
            values = {"one": one, "operation": operation, "body": body.format(name=name)}
            path.write_text(path.read_text() + METHOD.format(**values))
    (project / f"tests/{name}/test_newest.py").write_text(TEST.format(name=name))


# Run in a project: a new database takes the dump; some features get a row; it gives a dump.
# Where a tool is named, it runs on the way, and the rows go through the revisions that it writes.
CARRY = """
import asyncio, os, subprocess, sys
from importlib import import_module
import httpx2
from app.kit.dump import work
from app.kit.dump.feature import choose
from app.kit.dump.reading import first_feature
from app.kit.features import FEATURES
from app.kit.attributes import references
from app.kit.storage import open_storage
from app.main import create_app
from app.settings import Settings
from tests.kit.support import new_database, serving, url

def quiet(*_):
    pass

async def load(settings):
    async with open_storage(settings) as storage:
        await storage.migrate()
        with open("../dump.ndjson", "rb") as file:
            first = first_feature(file)
            file.seek(0)
            await work.load(choose(None, FEATURES, storage), file, quiet, first)

async def dump(settings):
    async with open_storage(settings) as storage:
        await storage.migrate()
        await storage.check()
        async with storage.one_snapshot():
            with open("../dump.ndjson", "wb") as file:
                await work.dump(choose(None, FEATURES, storage), file, quiet)

def fill(settings, name):
    body = dict(import_module(f"tests.{name}.samples").BODIES[0])
    targets = references(import_module(f"app.{name}.models").Record)
    with serving(create_app(settings)) as address, httpx2.Client(base_url=address) as client:
        for field, other in targets.items():
            body[field] = client.get(f"/{other}").json()["data"][0]["id"]
        client.post(f"/{name}", json=body).raise_for_status()

what, *rest = sys.argv[1:]
if what == "dump":
    asyncio.run(dump(Settings(_env_file=None, database_url=os.environ["DATABASE_URL"])))
else:
    with new_database() as settings:
        asyncio.run(load(settings))
        if what == "run":
            subprocess.run([sys.executable, *rest], check=True)
            os.environ["DATABASE_URL"] = url(settings)
            subprocess.run([sys.executable, "-c", os.environ["CARRY"], "dump"], check=True)
        else:
            for name in rest:
                fill(settings, name)
            asyncio.run(dump(settings))
"""
NOTHING = f'{{"notes":0,"sha256":"{sha256().hexdigest()}"}}\n'


def records(dump: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a dump by their ids, of each feature by its name."""
    found: dict[str, dict[str, Any]] = {}
    rows: dict[str, Any] = {}
    for line in map(json.loads, dump.read_text().splitlines()):
        if "sha256" in line:
            found[next(iter(line))], rows = rows, {}
        else:
            rows[line["id"]] = line
    return found


class Life:
    """A project with its data, and what its owner knows of it."""

    def __init__(self, releases: Path, folder: Path, run: Run, installed: Made) -> None:
        self.releases, self.project, self.run_tool = releases, folder / "project", run
        self.home, self.dump = installed("adaptable"), folder / "dump.ndjson"
        self.engine, self.version = "sqlite", "v999.0.0"
        self.fields: dict[str, str] = {}
        self.edited: set[str] = set()
        render(releases, self.engine, self.project, self.version)
        self.dump.write_text(NOTHING)

    def python(self, code: str, *options: str, **variables: str) -> None:
        engine = "sqlite" if self.engine == "adaptable" else self.engine
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            in_place_of(self.home, self.project, engine, "python", "-c", code, *options)

    def change(self, *command: str, **variables: str) -> None:
        """Run a tool; rows go through the revisions that it writes, and keep their values."""
        before = records(self.dump)
        self.python(CARRY, "run", *command, CARRY=CARRY, **variables)
        commit(self.project, " ".join(command))
        after = records(self.dump)
        for name in before.keys() & after.keys():
            for this_id, row in before[name].items():
                kept = after[name][this_id]
                assert {k: kept.get(k, v) for k, v in row.items()} == row

    def feature(self, name: str, fields: str) -> None:
        """Make a feature, which gets a row, or change its fields."""
        is_new = name not in self.fields
        self.fields[name] = fields
        if not is_new:
            self.change("tools/feature.py", "make", NAME=name, FIELDS=fields)
            return
        done = self.run_tool(self.project, "make", NAME=name, FIELDS=fields)
        assert done.returncode == 0, done.stdout + done.stderr
        self.python(CARRY, "arrive", name)

    def remove(self, name: str) -> None:
        """Remove a feature that no other refers to."""
        del self.fields[name]
        self.edited.discard(name)
        self.change("tools/feature.py", "remove", NAME=name)

    def update(self) -> None:
        """Take the newer release."""
        self.version = NEXT
        self.change("tools/template.py", "update")

    def edit(self, name: str) -> None:
        """Edit a feature by hand."""
        self.edited.add(name)
        edit(self.project, name)
        commit(self.project, "Edit")

    def switch(self, engine: str) -> None:
        """Change the engine; the owner does what is said, and a new database takes the dump."""
        done = self.run_tool(self.project, "switch", "--", engine, tool="template")
        assert done.returncode == 0, done.stdout + done.stderr
        self.engine = engine
        useless = re.search(r"delete those that you no longer need:\n((?:    .*\n)+)", done.stdout)
        for path in useless[1].split() if useless else ():
            (self.project / path).unlink()
        for name in self.edited:
            edit(self.project, name)
        commit(self.project, "By hand")
        before = self.dump.read_bytes()
        self.python(CARRY, "arrive")
        assert self.dump.read_bytes() == before

    def compare(self) -> None:
        """See that all is as if it was generated now, with the same edits."""
        new = self.project.with_name(f"new-{self.engine}-{self.version}")
        render(self.releases, self.engine, new, self.version)
        for name, fields in self.fields.items():
            assert self.run_tool(new, "make", NAME=name, FIELDS=fields).returncode == 0
        for name in self.edited:
            edit(new, name)
        found, wanted = (
            {n: t for n, t in tree(p).items() if "/versions/" not in n} for p in (self.project, new)
        )
        assert found == wanted

    def pass_tests(self) -> None:
        """Have the tests of features and revisions pass."""
        engine = "sqlite" if self.engine == "adaptable" else self.engine
        kind = "mongodb" if self.engine == "mongodb" else "sql"
        run_tests(self.home, self.project, engine, f"kit/test_{kind}_migrations", *self.fields)


@pytest.fixture
def life(releases: Path, tmp_path: Path, run: Run, installed: Made) -> Life:
    """A project for SQLite, without data."""
    return Life(releases, tmp_path, run, installed)


def test_a_library_goes_round_all_engines(life: Life) -> None:
    for name, fields in LIBRARY.items():
        life.feature(name, fields)
        life.edit(name)
    for engine in ("postgres", "mongodb", "mysql", "adaptable"):
        life.switch(engine)
    life.feature("articles", f"{LIBRARY['articles']} {LATER}")
    life.switch("sqlite")
    life.update()
    life.remove("loans")

    life.compare()
    life.pass_tests()


@pytest.mark.parametrize("seed", [11])
def test_a_made_up_life_leads_to_what_would_be_generated_now(life: Life, seed: int) -> None:
    chance = Random(seed)
    for _ in range(STEPS):
        take_a_step(life, chance)

    life.compare()
    life.pass_tests()


def take_a_step(life: Life, chance: Random) -> None:
    """Do one thing that is possible now."""
    names = [*life.fields]
    lacking = [name for name in LIBRARY if name not in names][:1]
    referred = {n for n in names if any(f"ref({n})" in f for f in life.fields.values())}
    steps = [partial(life.feature, name, LIBRARY[name]) for name in lacking] * 3
    steps.append(partial(life.switch, chance.choice([e for e in VARIANTS if e != life.engine])))
    for name in names:
        fields = " ".join([LIBRARY[name], *chance.sample(LATER.split(), 2)])
        steps += [partial(life.feature, name, fields), partial(life.edit, name)]
        steps += [partial(life.remove, name)] if name not in referred else []
    steps += [partial(life.update)] if life.version != NEXT else []
    chance.choice(steps)()
