"""Features, HTTP and storage put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from app import TITLE
from app.features import FEATURES
from app.http import health
from app.http.docs import DocumentedApp, add_page
from app.http.middleware import BodyLimit, HeadAsGet, RequestContext
from app.http.problems import HANDLERS
from app.logs import configure_logs
from app.settings import Settings, load_settings
from app.storage import open_storage


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the service; its lifespan opens the storage and closes it.

    Without ``settings`` it reads them from the environment when it starts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        chosen = settings or load_settings()
        configure_logs(chosen.log_level, chosen.log_format)
        async with open_storage(chosen) as storage:
            yield {"storage": storage} | {name: storage.repository(name) for name in FEATURES}

    app = DocumentedApp(
        title=TITLE,
        version="1.0.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        middleware=[Middleware(RequestContext), Middleware(BodyLimit), Middleware(HeadAsGet)],
    )
    features = [import_module(f"app.{name}.routes") for name in FEATURES]
    for part in (*features, health):
        app.router.routes.extend(part.router.routes)  # include_router() matches each path twice.
    add_page(app)
    return app
