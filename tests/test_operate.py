"""docs/operate.md says what the code does."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from conftest import ROOT, in_place_of

GUIDE = (ROOT / "docs/operate.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`(.*?)`|(.*?)) \| .+ \|$", re.MULTILINE)
SETTINGS = """
import json
from app.settings import Settings
fields = Settings.model_fields.items()
defaults = {name.upper(): None if f.is_required() else f.default for name, f in fields}
print(json.dumps(defaults, default=lambda value: list(value) if value else []))
"""
OPTIONS = """
from app.kit.storage import mongodb_url, mysql_url, postgres_url, sqlite_url
print(*sqlite_url.DROPPED, *mongodb_url.KEPT, *mongodb_url.DROPPED)
print(*mysql_url.TRANSLATED, *mysql_url.DROPPED, *mysql_url.VALUES)
print(*postgres_url.TRANSLATED, *postgres_url.DROPPED, *postgres_url.WEAK)
"""


def documented() -> dict[str, str]:
    """Return the default of each setting, as the table has it."""
    return {name: default or word for name, default, word in ROW.findall(GUIDE)}


def word_for(default: Any) -> str:
    """Return how the table says a default."""
    if default is None:
        return "must be given"
    if default in ([], ""):
        return "empty"
    return default if isinstance(default, str) else json.dumps(default)


def test_every_setting_is_in_the_table_with_its_default(installed: Callable[..., Path]) -> None:
    defaults = settings_of(installed("sqlite")) | settings_of(installed("sqlite", "oidc"))

    assert documented() == {name: word_for(default) for name, default in defaults.items()}


def test_every_setting_is_in_the_example(installed: Callable[..., Path], project: Path) -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (project / ".env.example").read_text(), re.MULTILINE)

    others = {"DATABASE_PASSWORD", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    assert set(settings_of(installed("sqlite"))) == set(named) - others


def test_every_option_of_a_url_is_in_a_table(installed: Callable[..., Path]) -> None:
    project = installed("adaptable")
    known = in_place_of(project, project, "sqlite", "python", "-c", OPTIONS).split()
    tables = GUIDE.partition("### Options of the URL")[2].partition("\n## ")[0]

    assert set(known) <= set(re.findall(r"`([A-Za-z_-]+)", tables))


def settings_of(project: Path) -> dict[str, Any]:
    """Return the default of each setting of a project; those that must be given have none."""
    found: dict[str, Any] = json.loads(
        in_place_of(project, project, "sqlite", "python", "-c", SETTINGS)
    )
    return found


def test_the_deployment_is_for_the_image(project: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    pod = yaml.safe_load(block)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    dockerfile = (project / "Dockerfile").read_text()
    health = (project / "src/app/kit/http/health.py").read_text()

    assert f"\nUSER {pod['securityContext']['runAsUser']}\n" in dockerfile
    assert f"\nEXPOSE {container['ports'][0]['containerPort']}\n" in dockerfile
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert f'@router.get("{path.removeprefix("/health")}"' in health
