"""What the commands work on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import typer

from app.kit import environment, settings
from app.kit.features import FEATURES, Feature
from app.kit.settings import ServiceSettings
from app.kit.storage import Storage, open_storage


@dataclass(frozen=True)
class Service:
    """What the commands work on: the application's factory, its settings and features."""

    create_app: str
    """As in ``app.main:create_app``."""
    settings: type[ServiceSettings]
    features: Sequence[Feature] = FEATURES
    description: str = ""
    """What ``--help`` begins with."""


def on_storage(settings: ServiceSettings, work: Callable[[Storage], Awaitable[None]]) -> None:
    """Do some work on the open database."""

    async def run() -> None:
        async with open_storage(settings) as storage:
            await work(storage)

    asyncio.run(run())


def read_settings(context: typer.Context) -> ServiceSettings:
    """Return the settings of the command's service, or raise ``InvalidSettings``."""
    service: Service = context.obj
    environment.load_dotenv()
    return settings.read_settings(service.settings)
