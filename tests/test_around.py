"""What stands around the service: pipelines and the dev container."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import SERVERS, Made, environment, files, render

CI_FILES = {"github": (".github/",), "gitlab": (".gitlab", "renovate.json")}
CI_WORDS = {
    "github": re.compile("github|dependabot", re.IGNORECASE),
    "gitlab": re.compile("gitlab|renovate", re.IGNORECASE),
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
    ("line", "service"),
    [
        ("DATABASE_URL=sqlite:///notes.db", "app-sqlite"),
        ('export DATABASE_URL = "mariadb://app:x@127.0.0.1/app"  # ours', "app-mysql"),
        ("DATABASE_URL=mongodb://a/b\nDATABASE_URL='postgresql+asyncpg://a/b'", "app-postgres"),
    ],
)
def test_up_starts_the_engine_that_the_service_would_take(
    installed: Made, tmp_path: Path, line: str, service: str
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
        ["make", "--assume-old=.venv/ready", "up"],
        cwd=tmp_path,
        env=shell | {"ENGINE": "none"},
        capture_output=True,
        text=True,
    )

    assert run.stdout.split()[-1] == service, run.stderr
