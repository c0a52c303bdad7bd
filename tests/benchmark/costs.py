"""What the log line, the token and the metrics of a request add, in microseconds.

As a script, it measures them in its process and prints them as JSON; the log goes to stderr.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from tempfile import TemporaryDirectory
from timeit import repeat

NUMBER = 5_000
TOKEN = "0" * 43
AUTH = {"AUTH_TOKENS": f"sha256:{sha256(TOKEN.encode()).hexdigest()}:read+write"}


def measure_parts() -> dict[str, float]:
    """Return the microseconds of each part."""
    with TemporaryDirectory() as folder:
        shared = _run(PROMETHEUS_MULTIPROC_DIR=folder)["metrics"]
    return _run() | {"metrics of several workers": shared}


def _run(**variables: str) -> dict[str, float]:
    env = {**os.environ, **AUTH, **variables, "DATABASE_URL": ""}
    command = [sys.executable, __file__]
    found: dict[str, float] = json.loads(
        subprocess.check_output(command, env=env, stderr=subprocess.DEVNULL)
    )
    return found


def _microseconds(call: Callable[[], object]) -> float:
    return min(repeat(call, number=NUMBER, repeat=9)) / NUMBER * 1e6


def _measure() -> dict[str, float]:
    from app.kit.http.middleware import record_request
    from app.kit.logs import configure_logs
    from app.kit.metrics import Metrics

    metrics = Metrics()

    def record() -> None:
        record_request(metrics, "GET", "/notes", 200, 0.001)

    silent = _microseconds(record)
    configure_logs("INFO", "json")
    line = _microseconds(record) - silent
    return {"a log line": line, "a token": _microseconds(_admission()), "metrics": silent}


def _admission() -> Callable[[], object]:
    """Return what checks the token of a request."""
    from app.kit.auth.middleware import Guard
    from app.kit.auth.token import AuthSettings, build_verifier

    guard = Guard("", build_verifier(AuthSettings()))
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "http", "path": "/notes", "method": "GET", "headers": headers}

    def admit() -> None:
        with suppress(StopIteration):  # It ends, as it waits for nothing.
            guard.admit(scope).send(None)
            raise AssertionError

    return admit


if __name__ == "__main__":
    print(json.dumps(_measure()))
