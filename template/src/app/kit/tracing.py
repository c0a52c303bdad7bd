"""Traces, where OpenTelemetry's own variables ask for them.

FastAPI makes the span of a request. Here are those of the database, and what sends both.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread

from opentelemetry import trace
from starlette.types import Scope

from app.kit.errors import Unavailable

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
FLUSH_SECONDS = 1


def is_enabled() -> bool:
    """Tell whether the environment asks for traces."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return _exporter() != "none" and not disabled


def _exporter() -> str:
    value = os.environ.get
    return value("OTEL_TRACES_EXPORTER") or ("otlp" if any(map(value, ENDPOINTS)) else "none")


def _can_send() -> bool:
    exporter = _exporter()
    protocol = next(filter(None, map(os.environ.get, PROTOCOLS)), "http/protobuf")
    if (exporter, protocol) == ("otlp", "http/protobuf"):
        return True
    log.warning("No traces: %s over %s is not otlp over http/protobuf", exporter, protocol)
    return False


@asynccontextmanager
async def sending_traces(service: str) -> AsyncIterator[None]:
    """Send spans as they end, named by the service; if not asked to, import nothing that could.

    A thread of its own sends them, from a queue that drops what does not fit. At the end it has
    ``FLUSH_SECONDS`` for what is left, so a collector that is away holds nothing up.
    """
    if not is_enabled() or not _can_send():
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {"service.name": service, **OTELResourceDetector().detect().attributes}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_SECONDS)


def trace_of(scope: Scope) -> str:
    """Return the id of the trace that a request belongs to, if any; its span forgets the query."""
    span = trace.get_current_span()
    if not (context := span.get_span_context()).is_valid:
        return ""
    if scope["query_string"]:
        span.set_attribute("url.query", "REDACTED")
    return trace.format_trace_id(context.trace_id)


@contextmanager
def database_span(system: str, feature: str, operation: str) -> Iterator[None]:
    """Make what happens a span of the present trace."""
    attributes = {
        "db.system.name": system,
        "db.collection.name": feature,
        "db.operation.name": operation,
    }
    with trace.get_tracer(__name__).start_as_current_span(
        f"{operation} {feature}",
        kind=trace.SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Unavailable as error:
            span.set_attribute("error.type", error.kind)
            span.set_status(trace.StatusCode.ERROR, error.reason)
            raise
