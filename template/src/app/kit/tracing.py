"""Traces, if OpenTelemetry's own variables enable them.

FastAPI makes the span of a request; this module makes those of the database and sends both.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from opentelemetry import trace
from starlette.types import Scope

from app.kit.errors import Unavailable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
FLUSH_SECONDS = 1


def is_enabled() -> bool:
    """Return whether the environment enables traces."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return _exporter() != "none" and not disabled


def _exporter() -> str:
    value = os.environ.get
    chosen = value("OTEL_TRACES_EXPORTER") or ("otlp" if any(map(value, ENDPOINTS)) else "none")
    return chosen.strip().lower()


def _can_send() -> bool:
    protocol = next(filter(None, map(os.environ.get, PROTOCOLS)), "http/protobuf")
    if (_exporter(), protocol.strip()) == ("otlp", "http/protobuf"):
        return True
    log.warning("No traces: they can be sent by otlp over http/protobuf only")
    return False


def _provider(service: str) -> TracerProvider | None:
    """Return the SDK's provider, or ``None`` if it rejects one of its variables."""
    logging.getLogger("opentelemetry.util.re").addFilter(_hide_header)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = {"service.name": service, **OTELResourceDetector().detect().attributes}
        provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except Exception as error:
        wrong = re.search("OTEL_[A-Z_]+", str(error))  # The rest may repeat the value.
        log.warning("No traces: %s is wrong", wrong[0] if wrong else "a variable OTEL_…")
        return None
    return provider


def _hide_header(record: logging.LogRecord) -> bool:
    """Keep a malformed header, which may be a secret, out of the log."""
    record.msg, record.args = "A header in OTEL_EXPORTER_OTLP_HEADERS is not name=value", ()
    return True


@asynccontextmanager
async def send_traces(service: str) -> AsyncIterator[None]:
    """Send spans as they end, if traces are enabled; else the SDK is not imported.

    A thread sends them from a bounded queue, which drops what does not fit. At the end it has
    ``FLUSH_SECONDS`` for the rest, so an unavailable collector delays nothing.
    """
    provider = _provider(service) if is_enabled() and _can_send() else None
    if not provider:
        yield
        return
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_SECONDS)


def trace_of(scope: Scope) -> str:
    """Return the trace id of a request, or an empty text; remove the query from its span."""
    span = trace.get_current_span()
    if not (context := span.get_span_context()).is_valid:
        return ""
    if scope["query_string"]:
        span.set_attribute("url.query", "REDACTED")
    return trace.format_trace_id(context.trace_id)


@contextmanager
def database_span(system: str, feature: str, operation: str) -> Iterator[None]:
    """Trace an operation on the database as a span."""
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
