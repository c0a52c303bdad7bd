"""The template as a release, and what it renders for each answer to `database`."""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from copier import run_copy

from binaries import ServerError
from servers import provide

ROOT = Path(__file__).parent.parent
VARIANTS = ("sqlite", "postgres", "mysql", "mongodb", "adaptable")

SERVERS = {
    "postgres": "TEST_POSTGRES_URL",
    "mysql": "TEST_MYSQL_URL",
    "mongodb": "TEST_MONGODB_URL",
}
"""The variable that names the server of an engine, if it needs one."""

servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the database servers, once: the workers get their addresses by the environment."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        try:
            servers.enter_context(provide(*SERVERS))
        except ServerError as error:
            pytest.exit(str(error), returncode=1)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers that were started here."""
    servers.close()


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular, whatever the machine's own configuration."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository with the working tree committed and tagged as a release."""
    folder = tmp_path_factory.mktemp("template")
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=The working tree")
    git(folder, "tag", "v999.0.0")
    return folder


def render(template: Path, database: str, folder: Path) -> None:
    """Render a variant as a person would, and put it under version control."""
    answers = {"project_name": "Team Notes", "database": database}
    run_copy(str(template), folder, data=answers, defaults=True, quiet=True)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Generated")


@pytest.fixture(scope="session")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a variant, as it was rendered; nobody changes it."""

    @cache
    def once(database: str) -> Path:
        folder = tmp_path_factory.mktemp(database)
        render(template, database, folder)
        return folder

    return once


@pytest.fixture(scope="session")
def installed(template: Path) -> Callable[[str], Path]:
    """Return the folder of a variant with its environment, for its own commands.

    The folder, without its files, outlives the run, as compiled bytecode and types are dear.
    """

    @cache
    def once(database: str) -> Path:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        folder = ROOT / ".cache" / worker / database
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in (".venv", ".mypy_cache"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        render(template, database, folder)
        subprocess.run(["uv", "sync", "--quiet"], cwd=folder, env=environment(database), check=True)
        return folder

    return once


@pytest.fixture(scope="session", params=VARIANTS)
def database(request: pytest.FixtureRequest) -> str:
    """Each answer to `database`."""
    answer: str = request.param
    return answer


@pytest.fixture(scope="session")
def project(rendered: Callable[[str], Path], database: str) -> Path:
    """The folder of each variant, as it was rendered."""
    return rendered(database)


def environment(engine: str) -> dict[str, str]:
    """Return what a person's shell would have in a project: a server, no trace of this test run."""
    hidden = ("VIRTUAL_ENV", "PYTEST", "TEST_", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    if engine in SERVERS:
        kept["TEST_DATABASE_URL"] = os.environ[SERVERS[engine]]
    return kept
