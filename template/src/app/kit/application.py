"""The parts of the application that every service has."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from operator import attrgetter
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from app.kit import auth, tracing
from app.kit.http import health, metrics
from app.kit.http.cors import Cors, Preflight
from app.kit.http.docs import add_page, completed
from app.kit.http.fast_path import FastPath
from app.kit.http.limits import Slots
from app.kit.http.middleware import BodyLimit, RequestContext, is_probe
from app.kit.http.prefix import StrippedPrefix
from app.kit.http.problems import HANDLERS
from app.kit.http.read_only import ReadOnly
from app.kit.http.websockets import takes_websocket
from app.kit.logs import configure_logs
from app.kit.metrics import collect_metrics
from app.kit.settings import ServiceSettings
from app.kit.startup import log_until_ready
from app.kit.storage import Storage


class Application(FastAPI):
    """FastAPI with problem details, a complete document, and operations named by functions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            exception_handlers=HANDLERS,
            generate_unique_id_function=attrgetter("name"),
            telemetry=_telemetry(),
            **options,
        )

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if not self.openapi_schema:
            self.openapi_schema = auth.documented(completed(super().openapi()))
        return self.openapi_schema


def middleware(settings: ServiceSettings) -> list[Middleware]:
    """Return the middleware, the outermost first."""
    origins = settings.cors_origins
    cors = Middleware(Cors, origins=origins, credentials=settings.cors_credentials)
    return [
        *([cors] if origins else []),
        Middleware(RequestContext, hsts_seconds=settings.hsts_seconds),
        *([Middleware(Preflight)] if origins else []),
        *auth.layers(),
        *([Middleware(ReadOnly)] if settings.read_only else []),
        Middleware(BodyLimit),
        *([Middleware(StrippedPrefix, prefix=settings.root_path)] if settings.root_path else []),
        Middleware(FastPath),  # Without this line, FastAPI answers all requests.
    ]


def _telemetry() -> TelemetryConfig:
    return {
        "auto_configure": False,
        "tracing": tracing.is_enabled(),  # If true, each request looks for a tracer.
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "exclude": lambda scope: is_probe(scope["path"]),
    }


@asynccontextmanager
async def open_platform(
    app: FastAPI, settings: ServiceSettings, storage: Storage
) -> AsyncIterator[dict[str, Any]]:
    """Start logs, traces and metrics, and yield the lifespan's state, which middleware reads."""
    configure_logs(settings.log_level, settings.log_format)
    async with (
        tracing.send_traces(app.title),
        collect_metrics(storage) as measured,
        log_until_ready(partial(storage.check, or_newer=True)),
    ):
        gc.freeze()  # What exists now stays; the collector need not visit it again.
        yield {
            "storage": storage,
            "metrics": measured,
            "slots": Slots(settings.max_concurrent_requests),
            "takes_websocket": partial(takes_websocket, app.routes),
            "cors": Cors(
                app, origins=settings.cors_origins, credentials=settings.cors_credentials
            ).headers_for,
            **auth.state(settings),
        }


def add_platform_routes(app: FastAPI, settings: ServiceSettings) -> None:
    """Add health, metrics, the routes of authentication, and documentation."""
    app.include_router(health.router)
    if settings.metrics:
        app.include_router(metrics.router)
    auth.add_routes(app, settings)  # It may serve /docs in its own way.
    add_page(app)
