"""The application, made of settings, storage, features and middleware."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import metadata
from typing import Any

from fastapi import FastAPI

from app import DISTRIBUTION, TITLE
from app.kit.application import Application, add_platform_routes, middleware, open_platform
from app.kit.features import FEATURES, Feature
from app.kit.storage import open_storage
from app.settings import Settings, load_settings


def create_app(settings: Settings | None = None, features: Sequence[Feature] = FEATURES) -> FastAPI:
    """Return the service; by default, its settings come from the environment."""
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with (
            open_storage(settings) as storage,
            open_platform(app, settings, storage) as platform,
        ):
            repositories = {f.name: storage.repository(f) for f in features if f.is_stored()}
            yield {**platform, **repositories}  # Becomes request.state.

    about = metadata(DISTRIBUTION)  # From pyproject.toml.
    app = Application(
        title=TITLE,
        description=about["Summary"],
        version=about["Version"],
        lifespan=lifespan,
        middleware=middleware(settings),
    )
    for feature in features:
        app.include_router(feature.load("routes").router)
    add_platform_routes(app, settings)
    return app
