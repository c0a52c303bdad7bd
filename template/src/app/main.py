"""Features, HTTP and storage put together."""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from operator import attrgetter
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from app import TITLE
from app.kit import auth, tracing
from app.kit.features import FEATURES, Feature
from app.kit.http import health, metrics
from app.kit.http.cors import Cors, Preflight
from app.kit.http.docs import DocumentedApp, add_page
from app.kit.http.limits import BodyLimit, ConcurrencyLimit
from app.kit.http.middleware import HeadAsGet, RequestContext, is_probe
from app.kit.http.problems import HANDLERS
from app.kit.http.security_headers import SecurityHeaders
from app.kit.logs import configure_logs
from app.kit.metrics import collect_metrics
from app.kit.startup import log_until_ready
from app.kit.storage import open_storage
from app.settings import Settings, load_settings


def create_app(settings: Settings | None = None, features: Sequence[Feature] = FEATURES) -> FastAPI:
    """Return the service; its lifespan opens the storage and closes it.

    Without ``settings`` it reads them from the environment.
    """
    chosen = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        configure_logs(chosen.log_level, chosen.log_format)
        access = auth.state(chosen)
        async with (
            tracing.sending_traces(TITLE),
            open_storage(chosen) as storage,
            collect_metrics(storage) as measured,
            log_until_ready(partial(storage.check, or_newer=True)),
        ):
            repositories = {f.name: storage.repository(f) for f in features if f.is_stored()}
            gc.freeze()  # What is here by now stays, and need not be looked at again and again.
            yield {"storage": storage, "metrics": measured, **repositories, **access}

    app = DocumentedApp(
        title=TITLE,
        version="1.0.0",
        lifespan=lifespan,
        generate_unique_id_function=attrgetter("name"),  # Clients are generated with these names.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        telemetry={
            "auto_configure": False,
            "tracing": tracing.is_enabled(),  # Else each request would look for a tracer.
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
    routes = [feature.load("routes") for feature in features]
    for part in (*routes, health, *([metrics] if chosen.metrics else [])):
        app.include_router(part.router)
    add_page(app)
    return app


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    credentials = settings.cors_credentials
    return [Middleware(Cors, origins=settings.cors_origins, credentials=credentials)]
