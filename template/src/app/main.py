"""Features, HTTP and storage put together."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from app import TITLE, auth, tracing
from app.features import FEATURES
from app.http import health, metrics
from app.http.browsers import Cors, Preflight, SecurityHeaders
from app.http.docs import DocumentedApp, add_page
from app.http.limits import BodyLimit, ConcurrencyLimit
from app.http.middleware import HeadAsGet, RequestContext, is_probe
from app.http.problems import HANDLERS
from app.logs import configure_logs
from app.metrics import measuring
from app.settings import Settings, load_settings
from app.startup import telling_readiness
from app.storage import open_storage


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the service; its lifespan opens the storage and closes it.

    Without ``settings`` it reads them from the environment.
    """
    chosen = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        configure_logs(chosen.log_level, chosen.log_format)
        access = auth.state(chosen)
        async with (
            tracing.sending_traces(),
            open_storage(chosen) as storage,
            measuring(storage) as measured,
            telling_readiness(partial(storage.check, or_newer=True)),
        ):
            repositories = {name: storage.repository(name) for name in FEATURES}
            gc.freeze()  # What is here by now stays, and need not be looked at again and again.
            yield {"storage": storage, "metrics": measured, **repositories, **access}

    app = DocumentedApp(
        title=TITLE,
        version="1.0.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        telemetry={
            "auto_configure": False,
            "tracing": tracing.wanted(),  # Else each request would look for a tracer.
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "exclude": lambda scope: is_probe(scope["path"]),
        },
        middleware=[
            Middleware(SecurityHeaders, hsts_seconds=chosen.hsts_seconds),
            *_cors(chosen),
            Middleware(RequestContext),
            *([Middleware(Preflight)] if chosen.cors_origins else []),
            Middleware(ConcurrencyLimit, at_most=chosen.max_concurrent_requests),
            *auth.layers(),
            Middleware(BodyLimit),
            Middleware(HeadAsGet),
        ],
    )
    features = [import_module(f"app.{name}.routes") for name in FEATURES]
    for part in (*features, health, *([metrics] if chosen.metrics else [])):
        app.router.routes.extend(part.router.routes)  # include_router() matches each path twice.
    add_page(app)
    return app


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    credentials = settings.cors_credentials
    return [Middleware(Cors, origins=settings.cors_origins, credentials=credentials)]
