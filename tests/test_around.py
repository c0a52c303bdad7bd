"""What stands around the service: pipelines and the dev container."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import SERVERS, Made, environment, files, render

CI_FILES = {"github": (".github/",), "gitlab": (".gitlab", "renovate.json")}
CI_WORDS = {  # Not the hosts that Copier abbreviates.
    "github": re.compile(r"github(?!\.com/\")|dependabot", re.IGNORECASE),
    "gitlab": re.compile(r"gitlab(?!\.com/\")|renovate", re.IGNORECASE),
}
PASSWORD = "for-tests-only"


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_no_file_and_no_word_of_another_ci(template: Path, tmp_path: Path, ci: str) -> None:
    render(template, "adaptable", tmp_path, ci=ci)
    texts = {name: (tmp_path / name).read_text() for name in files(tmp_path)}

    for place, word in CI_WORDS.items():
        present = any(name.startswith(CI_FILES[place]) for name in texts)
        assert present is (ci == place)
        if ci != place:
            assert [name for name, text in texts.items() if word.search(text)] == []


@pytest.mark.parametrize("ci", CI_FILES)
def test_pipelines_run_targets_that_there_are(template: Path, tmp_path: Path, ci: str) -> None:
    render(template, "adaptable", tmp_path, ci=ci)
    text = "".join(
        (tmp_path / name).read_text() for name in files(tmp_path) if name.startswith(CI_FILES[ci])
    )
    targets = re.findall(r"^([a-z-]+):", (tmp_path / "Makefile").read_text(), re.MULTILINE)
    run = set(re.findall(r"^(?: *- run:| *run:| +-| +) make ([a-z-]+)", text, re.MULTILINE))

    assert {"check", "audit", "test", "update"} <= run <= {*targets, "db-up"}


@pytest.mark.parametrize("engine", SERVERS)
def test_the_workflow_names_the_database_of_the_compose_file(rendered: Made, engine: str) -> None:
    project = rendered(engine)
    workflow = yaml.safe_load((project / f".github/workflows/test-{engine}.yml").read_text())
    example = (project / ".env.example").read_text().replace("change-me", PASSWORD)

    variables = workflow["jobs"]["test"]["env"]

    assert variables["DATABASE_PASSWORD"] == PASSWORD
    assert f"\nDATABASE_URL={variables['TEST_DATABASE_URL']}\n" in example


@pytest.mark.parametrize("engine", SERVERS)
def test_the_pipeline_has_the_database_of_the_compose_file(
    template: Path, tmp_path: Path, engine: str
) -> None:
    render(template, engine, tmp_path, ci="gitlab")
    pipeline = yaml.safe_load((tmp_path / f".gitlab/test-{engine}.yml").read_text())

    (service,) = pipeline[f"test-{engine}"]["services"]

    assert f" {service['name']}\n" in (tmp_path / "compose.yaml").read_text()
    assert f"{service['alias']}/app" in pipeline[f"test-{engine}"]["variables"]["TEST_DATABASE_URL"]


def test_each_line_for_agents_names_what_there_is(project: Path) -> None:
    text = (project / "AGENTS.md").read_text()
    lines = [" ".join(line.split()) for line in re.split(r"\n(?=- )|\n\n", text)]
    made = {".venv", ".env", "uv.lock"}  # By the first command.

    for line in lines:
        if line.startswith("- "):
            named = re.findall(r"`([^`]+)`", line)
            assert all(exists(project, name) for name in named if name not in made), line
            assert named or line in text.partition("## Conventions")[2].replace("\n  ", " "), line


def exists(project: Path, name: str) -> bool:
    """Return whether a project has a target of make, a file, or a name in a module."""
    command, *words = name.split()
    if command == "make":
        return f"\n{words[0]}:" in (project / "Makefile").read_text()
    if command == ".venv/bin/pytest":
        return (project / words[0]).is_file()
    if name.startswith("app."):
        path = name.replace(".", "/")
        module, _, attribute = path.rpartition("/")
        inside = project / f"src/{module}.py"
        is_name = inside.exists() and f"class {attribute}" in inside.read_text()
        return is_name or any(project.glob(f"src/{path}*"))
    return (project / name).exists() or any(project.rglob(f"src/app/*/{name}"))


def test_the_debugger_starts_what_the_project_installs(project: Path) -> None:
    launch = json.loads((project / ".vscode/launch.json").read_text())
    installs = tomllib.loads((project / "pyproject.toml").read_text())
    serve, tests = launch["configurations"]

    assert Path(serve["program"]).name in installs["project"]["scripts"]
    assert any(each.startswith(tests["module"]) for each in installs["dependency-groups"]["dev"])


def test_containers_need_nothing_that_only_docker_has(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]

    drivers = {
        service["logging"]["driver"] for service in services.values() if "logging" in service
    }
    assert drivers == {"json-file"}  # Podman has no "local".


def test_the_dev_container_is_beside_its_database(project: Path, database: str) -> None:
    folder = project / ".devcontainer"
    described = json.loads((folder / "devcontainer.json").read_text())
    base, own = (yaml.safe_load((folder / n).read_text()) for n in described["dockerComposeFile"])
    service: dict[str, Any] = own["services"][described["service"]]

    assert described["service"] not in base["services"]
    assert f".:{described['workspaceFolder']}" in service["volumes"]
    if database in SERVERS:
        assert service["network_mode"] == "service:db"
        assert "healthcheck" in base["services"]["db"]
    else:
        assert "network_mode" not in service


@pytest.mark.parametrize(
    ("target", "line", "last"),
    [
        ("up", "DATABASE_URL=sqlite:///app.db", "app-sqlite"),
        ("up", 'export DATABASE_URL = "mariadb://app:x@127.0.0.1/app"  # ours', "app-mysql"),
        (
            "up",
            "DATABASE_URL=mongodb://a/b\nDATABASE_URL='postgresql+asyncpg://a/b'",
            "app-postgres",
        ),
        ("db-up", "DATABASE_URL=mongodb://a/b", "db-mongodb"),
        ("db-down", "DATABASE_URL=mongodb://a/b", "db-mongodb"),
        ("db-up", "DATABASE_URL=sqlite:///app.db", "stop."),  # There is nothing to start or stop.
    ],
)
def test_up_starts_the_engine_that_the_service_would_take(
    installed: Made, tmp_path: Path, target: str, line: str, last: str
) -> None:
    home = installed("adaptable")
    for name in (".env.example", "Makefile", "pyproject.toml"):
        shutil.copy(home / name, tmp_path)
    (tmp_path / ".env").write_text(f"{line}\nAUTH_TOKENS=none")
    (tmp_path / ".venv").symlink_to(home / ".venv")
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\necho "$@"\n')
    docker.chmod(0o755)
    shell = environment("sqlite") | {"PATH": f"{docker.parent}:{os.environ['PATH']}"}

    run = subprocess.run(
        ["make", "--assume-old=.venv/ready", target],
        cwd=tmp_path,
        env=shell | {"ENGINE": "none"},
        capture_output=True,
        text=True,
    )

    assert run.stdout.split()[-1] == last, run.stderr
