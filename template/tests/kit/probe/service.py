"""The service with the probe as its only feature: ``python -m tests.kit.probe.service serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.kit.cli import run
from app.kit.features import Feature
from app.kit.service import Service
from app.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI  # Imported where it is used, to spare the commands the time.

PROBE = Feature("probe", "tests.kit.probe")
SERVICE = Service("tests.kit.probe.service:create_app", Settings, [PROBE], "Probes.")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the service."""
    from app.main import create_app

    return create_app(settings, [PROBE])


if __name__ == "__main__":
    run(SERVICE)
