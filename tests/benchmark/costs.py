"""What the log line, the token and the metrics of a request add, in microseconds of CPU."""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack
from hashlib import sha256
from statistics import median
from tempfile import TemporaryDirectory

from client import Call
from data import note_id
from services import GENERATED, generated, measure, running

ROUNDS = 9  # The differences are small.
TOKEN = "0" * 43
LOG, AUTH = "a log line", "a token"
VARIABLES = {
    GENERATED: {},
    LOG: {"LOG_LEVEL": "INFO"},
    AUTH: {"AUTH_TOKENS": f"sha256:{sha256(TOKEN.encode()).hexdigest()}:read+write"},
}
METRICS = """
from timeit import repeat
from app.kit.metrics import Metrics
seconds, number = Metrics().request_seconds, 20_000
print(min(repeat(lambda: seconds("GET", "/notes", 200).observe(0.001), number=number)) / number)
"""


def measure_parts(url: str, options: argparse.Namespace) -> dict[str, float]:
    """Return the microseconds that each part adds to reading one note."""
    taken: dict[str, list[float]] = {name: [] for name in VARIABLES}
    call = Call((f"/notes/{note_id(0)}",), token=TOKEN)
    with ExitStack() as stack:
        services = [
            stack.enter_context(running(generated(url, name, **variables)))
            for name, variables in VARIABLES.items()
        ]
        for _ in range(ROUNDS):
            for service in services:
                cost = measure(service, call, options.seconds, options.connections)
                taken[service.name].append(cost["cpu"])
    cpu = {name: median(each) for name, each in taken.items()}
    parts = {name: cpu[name] - cpu[GENERATED] for name in (LOG, AUTH)}
    with TemporaryDirectory() as folder:
        shared = _metrics(PROMETHEUS_MULTIPROC_DIR=folder)
    return parts | {"metrics": _metrics(), "metrics of several workers": shared}


def _metrics(**variables: str) -> float:
    command = [sys.executable, "-c", METRICS]
    output = subprocess.check_output(command, env={**os.environ, **variables})
    return float(output) * 1e6
