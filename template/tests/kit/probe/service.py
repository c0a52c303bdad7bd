"""The service with the probe as its only feature: ``python -m tests.kit.probe.service serve``."""

from fastapi import FastAPI

from app.kit.cli import Service, run
from app.kit.features import Feature
from app.settings import Settings

PROBE = Feature("probe", "tests.kit.probe")
SERVICE = Service("tests.kit.probe.service:create_app", Settings, [PROBE])


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the service."""
    from app.main import create_app  # Here, to spare the commands what they never use.

    return create_app(settings, [PROBE])


if __name__ == "__main__":
    run(SERVICE)
