"""The platform's tests run on a feature of their own, the probe."""

import asyncio
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.kit.probe.service import PROBE
from tests.kit.support import ENGINE, create_samples, serving


@pytest.fixture(scope="session", autouse=True)
def samples(settings: Settings) -> None:
    """Have the shared database keep samples, too."""
    asyncio.run(create_samples(settings))


@pytest.fixture(scope="session")
def service(settings: Settings, samples: None) -> Iterator[str]:
    """The address of the service with the probe, which runs on the shared database."""
    with serving(create_app(settings, [PROBE])) as address:
        yield address


@pytest.fixture(scope="session")
def client(service: str) -> Iterator[httpx2.Client]:
    """A client of the same."""
    with httpx2.Client(base_url=service, timeout=10) as client:
        yield client


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """The service without any feature, for routes of a test."""
    return create_app(settings, features=())


@pytest.fixture
def revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the probe's revisions in the place of those of the service."""
    kind: Any = import_module(f"app.kit.migrations.{ENGINE.KIND}")
    versions = f"{ENGINE.KIND}_versions"
    monkeypatch.setattr(kind, "VERSIONS", Path(__file__).parent / "probe" / versions)
    monkeypatch.setattr(kind, "PACKAGE", f"tests.kit.probe.{versions}", raising=False)
    for name in {"revisions", "heads"} & set(dir(kind)):
        monkeypatch.setattr(kind, name, cache(getattr(kind, name).__wrapped__))
