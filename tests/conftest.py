"""The template as a release, and what it renders for each answer to `database`."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from copier import run_copy
from plumbum import local

from binaries import ServerError
from forks import Forks, forks, keep_renders
from made_once import once, render_once
from next_release import NEXT, make_next
from owner import live_in
from servers import memory_with, provide

ROOT = Path(__file__).parent.parent
VARIANTS = ("sqlite", "postgres", "mysql", "mongodb", "adaptable")

OLD_LAYOUT, OLD_LAYOUT_COMMIT = "v0.0.1", "29a65c8"

ROOM = 2**30  # bytes; with fewer free in memory, the files of the tests go to disk

TYPES = ".mypy_cache"
LASTING = (".venv", TYPES, ".hypothesis", "uv.lock")

SERVERS = {
    "postgres": "TEST_POSTGRES_URL",
    "mysql": "TEST_MYSQL_URL",
    "mongodb": "TEST_MONGODB_URL",
}
"""The variable that names the server of an engine, if it needs one."""

IN_A_FORK: dict[str, list[str]] = {
    "app": [],
    "alembic": [],
    "pytest": ["-W", "ignore:Module already imported so cannot be rewritten"],  # Of anyio.
    "python": [],
}
"""The programs that are run so, and the options that they need for it."""

DEFAULTS = {"auth": "token", "ci": "github", "example": "notes"}

LONGEST = (
    "test_they_pass",
    "test_its_own_tests_pass",
    "test_its_own_tests_pass_on_its_server",
    "test_everything_works_in_any_folder_and_any_shell",
    "test_every_type_with_every_suffix_is_green",
    "test_fields_change_with_edits_in_the_code_and_rows_in_the_database",
    "test_lint_and_strict_types_pass_before_a_commit",
    "test_a_server_that_comes_late_freezes_or_dies_costs_503_and_no_note",
    "test_a_life_leads_to_what_would_be_generated_now",
    "test_one_request_to_merge_a_new_version_is_opened",
    "test_an_untouched_project_becomes_like_a_new_one",
    "test_an_update_loses_nothing_of_the_owners_and_all_passes",
    "test_those_of_an_issuer_pass",
    "test_what_the_page_says_passes_tests",
)
"""The tests that take longest, in their order."""

Tool = Callable[..., int | str]
Made = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[str]]

resources = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the database servers, once: the workers get their addresses by the environment.

    Files of the tests are made in memory, which saves a fifth of the time, or where TMPDIR says.
    """
    leave_the_shell()
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if "TMPDIR" not in os.environ and (memory := memory_with(ROOM)):
        folder = TemporaryDirectory(prefix="adaptable-backend-", dir=memory)
        os.environ["TMPDIR"] = tempfile.tempdir = resources.enter_context(folder)
    os.environ["TEST_RENDERS"] = resources.enter_context(TemporaryDirectory(prefix="renders-"))
    try:
        resources.enter_context(provide(*SERVERS))
    except ServerError as error:
        pytest.exit(str(error), returncode=1)


def leave_the_shell() -> None:
    """Drop what it exports for services and repositories, and reach loopback without a proxy."""
    example = (ROOT / "template/.env.example.jinja").read_text()
    settings = re.findall(r"^(?:#|\{\{ off \}\})?([A-Z_]+)=", example, re.MULTILINE)
    for name in [*os.environ]:
        of_git = name.startswith("GIT_") and not name.startswith("GIT_CONFIG_")
        if of_git or name in settings or name.startswith(("OTEL_", "PROMETHEUS_")):
            del os.environ[name]
            local.env.pop(name, "")  # Copier's, which was made at import.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have each worker begin with what takes longest, and end with what others can do for it.

    They get equal parts at first, one after another.
    """
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.name.partition("[")[0], len(ranks)))
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = [item for first in range(workers) for item in items[first::workers]]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers, and remove the files."""
    resources.close()


def git(folder: Path, *arguments: str) -> str:
    """Run git with a fixed identity, whatever the machine's configuration."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


RELEASES = git(ROOT, "tag", "--list", "v*").split() or ["v0.1.0"]


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", f"--message={message}")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what all workers of this run use."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def template(shared: Path) -> Path:
    """This repository's releases, and after them the working tree, tagged as one more.

    Where there is no release yet, the last commit is taken for one. What was there before the
    platform had a folder of its own is taken for the first.
    """

    def make(folder: Path) -> None:
        git(shared, "init", "--quiet", folder.name)
        git(
            folder,
            "fetch",
            "--quiet",
            str(ROOT),
            "HEAD:refs/heads/last",
            "refs/tags/v*:refs/tags/v*",
        )
        git(folder, "tag", OLD_LAYOUT, OLD_LAYOUT_COMMIT)
        if not git(ROOT, "tag", "--list", "v*"):
            git(folder, "tag", RELEASES[-1], "last")
        for name in files(ROOT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
        release(folder, "v999.0.0")

    return once(shared / "template", make)


def release(template: Path, version: str) -> None:
    """Commit what is in a template's folder, and tag it."""
    commit(template, version)
    git(template, "tag", version)


@pytest.fixture(scope="session")
def releases(template: Path, shared: Path) -> Path:
    """The template with one more release, which changes, adds and deletes files."""

    def make(folder: Path) -> None:
        git(template, "clone", "--quiet", str(template), str(folder))
        make_next(folder / "template")
        release(folder, NEXT)

    return once(shared / "releases", make)


def render(
    template: Path, database: str, folder: Path, version: str | None = None, **more: str
) -> None:
    """Render a variant as a person would, and put it under version control."""
    answers = {"project_name": "Team Notes", "database": database}
    answers |= dict(more.items() - DEFAULTS.items())

    def make(made: Path) -> None:
        run_copy(str(template), made, answers, vcs_ref=version, defaults=True, quiet=True)
        git(made, "init", "--quiet")
        commit(made, "Generated")

    tags = git(template, "tag", "--list", "--sort=-version:refname", "v*").split()
    render_once("person", str(template), version or tags[0], answers, folder, make)
    if git(folder, "status", "--porcelain"):  # The template is elsewhere.
        git(folder, "commit", "--quiet", "--all", "--amend", "--no-edit")


@pytest.fixture(scope="session")
def rendered(template: Path, shared: Path) -> Made:
    """Return the folder of a variant, as it was rendered; nobody changes it."""
    return lambda database: once(
        shared / f"rendered-{database}", lambda folder: render(template, database, folder)
    )


@pytest.fixture(scope="session")
def renewed(releases: Path, shared: Path) -> Made:
    """Return the same of the release that is to come."""
    return lambda database: once(
        shared / f"renewed-{database}", lambda folder: render(releases, database, folder)
    )


@pytest.fixture(scope="session")
def lived_in(rendered: Made, shared: Path, run: Run) -> Made:
    """Return the folder of a variant that its owner has worked on; nobody changes it."""

    def made(database: str) -> Path:
        def make(folder: Path) -> None:
            shutil.copytree(rendered(database), folder)
            live_in(folder, database, run)
            commit(folder, "Lived in")

        return once(shared / f"lived-in-{database}", make)

    return made


@pytest.fixture(scope="session")
def installed(template: Path, shared: Path) -> Callable[..., Path]:
    """Return the folder of a variant with its environment, for its own commands.

    A second argument is its answer to `auth`. What its tools cache there is kept between runs, to
    save time: bytecode, types, tables of characters, and the versions of dependencies.
    """

    def made(database: str, auth: str = "token") -> Path:
        folder = ROOT / ".cache" / f"{database}-{auth}"

        def make(done: Path) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.iterdir():
                if path.name not in LASTING:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            render(template, database, folder, auth=auth)
            sync = ["make", ".venv/ready"]
            subprocess.run(sync, cwd=folder, env=environment(database), check=True)
            commit(folder, "Locked")
            if not (folder / TYPES).exists():
                learn_types(folder)
            done.mkdir()

        def learn_types(folder: Path) -> None:
            """Begin with what mypy found out about packages in the project that has all of them."""
            if database == "adaptable":
                in_place_of(folder, folder, "sqlite", "mypy", ".")
            else:
                shutil.copytree(made("adaptable") / TYPES, folder / TYPES)

        once(shared / f"installed-{folder.name}", make)
        return folder

    return made


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Run tools/template.py in a project's folder, in this process; return what it exits with."""

    def run(project: Path, *arguments: str, **variables: str) -> int | str:
        monkeypatch.chdir(project)
        monkeypatch.syspath_prepend(project / "tools")
        for module in (project / "tools").glob("*.py"):
            monkeypatch.delitem(sys.modules, module.stem, raising=False)
        command, *rest = arguments
        if command == "answer":  # They are variables of make.
            variables, rest = {"MAKEFLAGS": f" -- {' '.join(rest)}"}, []
        for name in ("DRY_RUN", "TEMPLATE", "FORMAT", "MAKEFLAGS"):
            monkeypatch.setenv(name, variables.get(name, ""))
        monkeypatch.setattr(sys, "argv", ["template.py", command, *rest])
        keep_renders()
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(project / "tools/template.py"), run_name="__main__")
        assert end.value.code is not None
        return end.value.code

    return run


@pytest.fixture(scope="session")
def run(installed: Callable[..., Path]) -> Run:
    """Run a tool in a project as `make` does, by default tools/feature.py; commit what it makes.

    In a project for all engines are the packages that it needs for each.
    """

    def run(
        project: Path, command: str, *options: str, tool: str = "feature", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        variables |= {n: os.environ[n] for n in ("PATH", "HOME", "TMPDIR") if n in os.environ}
        words = [f"tools/{tool}.py", command, *options]
        done = forked(installed("adaptable")).run(project, words, variables)
        if done.returncode == 0:
            commit(project, command)
        return done

    return run


@cache
def forked(installed: Path) -> Forks:
    """Return what runs Python in forks of one process of a variant's environment."""
    return resources.enter_context(forks(installed / ".venv/bin/python"))


def files(project: Path) -> list[str]:
    """Return the names of the files of a project that git does not ignore."""
    names = git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return sorted(name for name in set(names) if (project / name).is_file())


def tree(project: Path) -> dict[str, bytes]:
    """Return the same files with their bytes."""
    return {name: (project / name).read_bytes() for name in files(project)}


@pytest.fixture(scope="session", params=VARIANTS)
def database(request: pytest.FixtureRequest) -> str:
    """Each answer to `database`."""
    answer: str = request.param
    return answer


@pytest.fixture(scope="session")
def project(rendered: Made, database: str) -> Path:
    """The folder of each variant, as it was rendered."""
    return rendered(database)


def environment(engine: str) -> dict[str, str]:
    """Return what a person's shell would have in a project: a server, no trace of this test run."""
    hidden = ("VIRTUAL_ENV", "PYTEST", "TEST_", "MAKE", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    if engine in SERVERS:
        kept["TEST_DATABASE_URL"] = os.environ[SERVERS[engine]]
    return kept


def in_place_of(installed: Path, project: Path, engine: str, program: str, *options: str) -> str:
    """Return what a program of a variant's environment prints when run on another project.

    The environment of the variant that needs all packages is used so often that its Python is
    forked.
    """
    env = environment(engine) | {"PYTHONPATH": str(project / "src")}
    command = [str(installed / ".venv/bin" / program), *IN_A_FORK.get(program, []), *options]
    if installed.name.startswith("adaptable") and program in IN_A_FORK:
        run = forked(installed).run(project, command, env)
    else:
        run = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def run_tests(
    installed: Path, project: Path, engine: str, *names: str, without: str | None = None
) -> None:
    """Run a project's tests of these names in a variant's environment, on an engine.

    They need neither of the plugins, which take a while to begin. Those with a word in their own
    names are left out.
    """
    options = ["-p", "no:schemathesis", "-p", "no:hypothesispytest"]
    options += ["-k", f"not {without}"] if without else []
    folders = [name for name in names if (project / "tests" / name).is_dir()]
    paths = [f"tests/{name}{'' if name in folders else '.py'}" for name in names]
    in_place_of(installed, project, engine, "pytest", *options, *paths)
