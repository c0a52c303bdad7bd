"""Logs: JSON for machines, lines for people, the request's id in both, its trace's in JSON."""

import logging
import sys
from contextvars import ContextVar
from typing import Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["auto", "json", "text"]

request_id: ContextVar[str] = ContextVar("request_id", default="-")
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The id of the trace that a request belongs to; empty if it is not traced."""


class _Ids(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        if trace := trace_id.get():
            record.trace_id = trace
        if record.name.startswith("opentelemetry."):
            record.exc_info = None  # Its failures are no bugs of the service; one line is enough.
        return True


def _formatter(style: LogFormat) -> logging.Formatter:
    if style == "json" or (style == "auto" and not sys.stderr.isatty()):
        return JsonFormatter(
            ["levelname", "name", "process", "message", "request_id"],
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="time",
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's, for terminals.
        )
    return logging.Formatter("%(asctime)s %(levelname)-7s %(message)s  [%(request_id)s]")


def configure_logs(level: str, style: LogFormat) -> None:
    """Send every logger's records, the server's too, to stderr; a second call changes nothing."""
    handler = logging.StreamHandler()
    handler.addFilter(_Ids())
    handler.setFormatter(_formatter(style))
    logging.basicConfig(level=level, handlers=[handler])
