"""Metrics for Prometheus, named by OpenTelemetry's conventions.

Several workers write their values to files in a folder that ``app serve`` makes, and each answers
with the sum. The counts of a worker that has ended are kept.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from app.kit.storage import Storage
from app.kit.storage.faults import Fault

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder; prometheus_client reads it when it is imported."""

SAMPLE_SECONDS = 1
KINDS = ("bug", "overload", *(fault.name.lower() for fault in Fault))
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5)


class Metrics:
    """The metrics of this process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.request_seconds = cache(
            Histogram(
                "http_server_request_duration_seconds",
                "Time from the first byte of a request to the last of its answer.",
                ["http_request_method", "http_route", "http_response_status_code"],
                registry=registry,
                buckets=BUCKETS,
            ).labels
        )
        self.failures = Counter(
            "app_failures", "Requests answered with 500 or 503.", ["kind"], registry=registry
        )
        for kind in KINDS:
            self.failures.labels(kind)

        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(name, about, labels, registry=registry, multiprocess_mode="livesum")

        state = "db_client_connection_state"
        self._size = gauge("db_client_connection_max", "Maximum size of the pool.")
        self._used = gauge("db_client_connection_count", "Connections.", state).labels("used")
        self._waiting = gauge("db_client_connection_pending_requests", "Operations that wait.")

    def sample(self, storage: Storage) -> None:
        """Record the use of the connection pool."""
        pool = storage.pool()
        self._size.set(pool.size)
        self._used.set(pool.used)
        self._waiting.set(pool.waiting)

    def text(self) -> bytes:
        """Return the metrics of all workers in Prometheus's text format."""
        if not (folder := os.environ.get(FOLDER)):
            return generate_latest(self._registry)
        _forget_dead(Path(folder))
        every = CollectorRegistry()
        MultiProcessCollector(every)
        return generate_latest(every)


def _forget_dead(folder: Path) -> None:
    """Drop the gauges of workers that have ended."""
    for file in folder.glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except OSError:  # No such process, or another user's.
            with suppress(FileNotFoundError):  # Another worker removed it.
                mark_process_dead(pid)


@asynccontextmanager
async def collect_metrics(storage: Storage) -> AsyncIterator[Metrics]:
    """Yield the metrics of this process, and sample the pool every second."""
    metrics = Metrics()

    async def sample() -> None:
        while True:
            metrics.sample(storage)
            await asyncio.sleep(SAMPLE_SECONDS)

    sampling = asyncio.create_task(sample())
    try:
        yield metrics
    finally:
        sampling.cancel()
