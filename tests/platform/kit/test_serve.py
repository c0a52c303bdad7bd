"""`app serve` with two workers: what it answers, logs, measures, and how it ends."""

import json
from pathlib import Path

import httpx2

from app.settings import Settings
from tests.kit.running import process


def test_workers_answer_log_and_end(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"

    with process(settings, log, "--workers", "2") as (running, address):
        answer = httpx2.post(f"http://{address}/probe", json={"content": "x"})
        metrics = httpx2.get(f"http://{address}/metrics").text
        running.terminate()
        assert running.wait(timeout=10) == 0

    assert answer.status_code == 201
    assert 'http_route="/probe"' in metrics
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (request,) = [line for line in lines if line.get("route") == "/probe"]
    assert (request["method"], request["status"]) == ("POST", 201)
    assert request["request_id"] == answer.headers["X-Request-ID"]
