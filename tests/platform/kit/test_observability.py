"""Logs, metrics and traces, as those get them who run the service."""

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.kit.storage import open_storage
from app.settings import Settings
from tests.kit.probe.service import PROBE, create_app
from tests.kit.running import await_lines, process
from tests.kit.support import serving

EACH = 5
STARTED = "startup complete"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECRETS = {"X-Request-ID": "find-me", "traceparent": f"00-{TRACE}-{PARENT}-01"}
DURATION = "http_server_request_duration_seconds_count"


@dataclass
class Seen:
    """The output of two workers, of which one was killed and replaced."""

    log: list[dict[str, Any]]
    before: str
    after: str
    spans: list[Span]


@pytest.fixture(scope="module")
def seen(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Serve with two workers, have each answer ``EACH`` pages, kill one, and ask once more."""
    log = tmp_path_factory.mktemp("observed") / "log"
    with (
        collecting() as (collector, spans),
        process(settings, log, "--workers", "2", OTEL_EXPORTER_OTLP_ENDPOINT=collector) as (
            _,
            address,
        ),
    ):
        first, second = started(log, 2)
        for stopped in (first, second):
            os.kill(stopped, signal.SIGSTOP)
            for _ in range(EACH):
                get(address, "/probe?limit=1&name=ada")
            os.kill(stopped, signal.SIGCONT)
        before = get(address, "/metrics")
        os.kill(first, signal.SIGKILL)
        started(log, 3)
        after = get(address, "/metrics")
        for path in ("/health/ready", "/probe/ada", "/ada"):
            get(address, path)
    return Seen([json.loads(line) for line in log.read_text().splitlines()], before, after, spans)


@contextmanager
def collecting() -> Iterator[tuple[str, list[Span]]]:
    """Give the address of a collector, and the spans that it gets."""
    spans: list[Span] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", spans
        finally:
            server.shutdown()


def get(address: str, path: str) -> str:
    """Send a request on a new connection."""
    connection = HTTPConnection(address, timeout=10)
    connection.request("GET", path, headers=SECRETS)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def started(log: Path, count: int) -> list[int]:
    """Wait until so many workers have started in all, and return their process ids."""
    assert await_lines(log, STARTED, count)
    return [json.loads(line)["process"] for line in log.read_text().splitlines() if STARTED in line]


def value(metrics: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's values where the labels are these."""
    lines = [line for line in metrics.splitlines() if re.match(name + "[ {]", line)]
    chosen = [line for line in lines if all(f'{k}="{v}"' in line for k, v in labels.items())]
    return sum(float(line.rpartition(" ")[2]) for line in chosen)


def test_a_request_is_one_line_of_fields_and_nothing_personal(seen: Seen) -> None:
    lines = [line for line in seen.log if line["logger"] == "app.http"]
    routes = ["/probe"] * 2 * EACH + ["/probe/{sample_id}", "other"]

    assert sorted(line["route"] for line in lines) == routes
    for line in lines:
        found = line["route"] == "/probe"
        assert (line["method"], line["status"]) == ("GET", 200 if found else 404)
        assert (line["request_id"], line["trace_id"]) == ("find-me", TRACE)
        assert line["duration_ms"] > 0
        assert line["message"].startswith(f"GET {line['route']} {line['status']} ")
        assert "ada" not in str(line)
        assert "127.0.0.1" not in str(line)


def test_metrics_are_the_sum_of_all_workers_also_of_one_that_died(seen: Seen) -> None:
    for metrics in (seen.before, seen.after):
        page = {"http_route": "/probe", "http_response_status_code": "200"}
        assert value(metrics, DURATION, http_request_method="GET", **page) == 2 * EACH
        for kind in ("bug", "outage", "schema", "transient"):
            assert f'kind="{kind}"' in metrics
        assert value(metrics, "app_failures_total") == 0
        assert "ada" not in metrics


def test_the_pool_of_a_worker_that_died_is_forgotten(seen: Seen, settings: Settings) -> None:
    connections = value(seen.before, "db_client_connection_max")

    assert connections >= 2 * settings.database_pool_size
    assert value(seen.after, "db_client_connection_max") == connections


def test_a_trace_leads_from_the_caller_through_the_route_to_the_database(seen: Seen) -> None:
    by_name = {span.name: span for span in seen.spans}
    route, database = by_name["GET /probe"], by_name["latest probe"]
    attributes = {a.key: a.value.string_value for span in seen.spans for a in span.attributes}

    assert by_name.keys() == {"GET /probe", "latest probe", "GET /probe/{sample_id}", "GET"}
    assert route.trace_id.hex() == database.trace_id.hex() == TRACE
    assert route.parent_span_id.hex() == PARENT
    assert (route.kind, database.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert database.parent_span_id in {span.span_id for span in seen.spans}
    assert attributes["db.operation.name"] == "latest"
    assert attributes["url.query"] == "REDACTED"


def test_without_a_word_from_the_environment_nothing_can_trace(client: httpx2.Client) -> None:
    client.get("/probe")

    loaded = [name for name in sys.modules if name.startswith("opentelemetry.")]
    assert not [name for name in loaded if re.search(r"\.(sdk|exporter)\.", name)]


@pytest.mark.usefixtures("revisions")
def test_failures_are_counted_by_kind(empty_database: Settings) -> None:
    with serving(create_app(empty_database)) as address:
        assert httpx2.get(f"{address}/probe").status_code == 503
        assert httpx2.get(f"{address}/probe/bug").status_code == 500
        metrics = httpx2.get(f"{address}/metrics").text

    assert value(metrics, "app_failures_total", kind="schema") == 1
    assert value(metrics, "app_failures_total", kind="bug") == 1
    assert value(metrics, "app_failures_total") == 2


@pytest.mark.parametrize("is_overridden", [False, True])
def test_a_route_is_named_with_the_prefix_under_which_it_is_included(
    settings: Settings, is_overridden: bool
) -> None:
    app = create_app(settings)
    for prefix in "/v1", "/v2":
        app.include_router(PROBE.load("routes").router, prefix=prefix)
    if is_overridden:
        app.dependency_overrides[print] = print
    with serving(app) as address:
        httpx2.get(f"{address}/v1/probe")
        httpx2.head(f"{address}/v2/probe?limit=x")
        metrics = httpx2.get(f"{address}/metrics").text

    assert value(metrics, DURATION, http_route="/v1/probe", http_request_method="GET") == 1
    assert value(metrics, DURATION, http_route="/v2/probe", http_request_method="HEAD") == 1
    assert value(metrics, DURATION, http_route="/probe") == 0


def test_metrics_can_be_hidden(settings: Settings) -> None:
    with serving(create_app(settings.model_copy(update={"metrics": False}))) as address:
        assert httpx2.get(f"{address}/metrics").status_code == 404


async def test_the_pool_tells_who_waits(settings: Settings) -> None:
    small = settings.model_copy(update={"database_pool_size": 2})
    async with open_storage(small) as storage:
        probe = storage.repository(PROBE)
        asked = [asyncio.create_task(probe.latest(limit=1)) for _ in range(10)]
        await asyncio.sleep(0)
        busy = storage.pool()
        with suppress(Exception):
            await asyncio.gather(*asked)
        idle = storage.pool()

    assert (busy.used, busy.waiting) == (2, 8)
    assert (idle.used, idle.waiting) == (0, 0)
    assert busy.size == idle.size >= 2
