"""Variables of OpenTelemetry's SDK that are wrong cost no more than the traces."""

import re
import subprocess
import sys

import pytest

SEND = """
import asyncio, logging
from app.kit import tracing

async def send():
    async with tracing.send_traces("notes"):
        print(type(tracing.trace.get_tracer_provider()).__module__)

logging.basicConfig(format="%(levelname)s %(message)s")
asyncio.run(send())
"""
WRONG = {
    "OTEL_TRACES_EXPORTER": "zipkin",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "s3cret",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "s3cret",
    "OTEL_BSP_MAX_QUEUE_SIZE": "1",
}
REPLACED = {
    "OTEL_TRACES_SAMPLER": "sometimes",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "brotli",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization: s3cret",
}


def send(variable: str, value: str) -> subprocess.CompletedProcess[str]:
    """Begin to send traces, with one variable, in a process of its own."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", variable: value}
    command = [sys.executable, "-c", SEND]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(("variable", "value"), WRONG.items())
def test_a_variable_of_the_sdk_that_is_wrong_costs_the_traces(variable: str, value: str) -> None:
    run = send(variable, value)

    assert not run.stdout.startswith("opentelemetry.sdk.")
    assert re.fullmatch("WARNING No traces: .*\n", run.stderr)
    assert "s3cret" not in run.stderr


@pytest.mark.parametrize(("variable", "value"), REPLACED.items())
def test_what_has_a_default_is_a_warning(variable: str, value: str) -> None:
    run = send(variable, value)

    assert run.stdout.startswith("opentelemetry.sdk.")
    assert re.fullmatch("WARNING .*\n", run.stderr)
    assert "s3cret" not in run.stderr
