"""Load a dump into a new database, see that its own is the same, and print what a service answers.

Run by the interpreter of a generated project, in its folder: `python answers.py DUMP`. The requests
are always the same; ids, times and latencies are replaced by the order in which they came up. A
dump that is not there yet is made, of what engines are most likely to keep differently.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import httpx2
from starlette.testclient import TestClient

from app.kit.cli import cli
from app.kit.service import Service
from app.main import create_app
from app.settings import Settings
from tests.kit.support import new_database
from tests.notes.samples import dump_of, hard_records

NOISE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    r'|(?<=latency_ms\\":)[0-9.]+'
)
TEXTS = [
    None,
    "",
    " \u00a0\u3000",
    "x" * 255,
    "x" * 256,
    "\U0001f600" * 255,
    "\U0001f600" * 256,
    "e\u0301" * 127 + "e",
    "trailing   ",
    "Case",
    "case",
    "stra\u00dfe",
    "a\0b",
    "\ud800",
    "\u200b",
    "100% \\ ' \" ; --",
    1,
    [],
]
QUERIES = [
    "limit=-1",
    "limit=0",
    "limit=2",
    "limit=100",
    "limit=101",
    f"limit={10**19}",
    "cursor=x",
]
TAGS = ['"1"', '"2"', 'W/"1"', "*", '"1", "2"', '"99999999999999999999"', ""]
KEYS = ["k", "K", "k" * 255, "k" * 256, "", "a b", "~!'\"\\"]
IDS = ["x", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]


class Recorder:
    """Sends requests and keeps what came back."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.seen: dict[str, str] = {}

    def request(
        self, method: str, path: str, body: object = ..., **headers: str
    ) -> httpx2.Response:
        content = None if body is ... else json.dumps(body).encode()
        kind = {} if body is ... else {"Content-Type": "application/json"}
        answer = self.client.request(method, path, content=content, headers=kind | headers)
        noise = {"x-request-id", "content-length"}  # A length is that of the text, which is kept.
        kept = {k: v for k, v in answer.headers.items() if k not in noise}
        line = json.dumps(
            [method, path, body is ... or body, answer.status_code, kept, answer.text]
        )
        print(NOISE.sub(lambda match: self.name(match[0]), line))
        return answer

    def name(self, noise: str) -> str:
        return self.seen.setdefault(noise, f"<{len(self.seen)}>") if "T" not in noise else "<time>"


def record(to: Recorder) -> None:
    """Ask for everything on which engines drift apart."""
    for text in TEXTS:
        to.request("POST", "/notes", {"content": text})
    for query in QUERIES:
        to.request("GET", f"/notes?{query}")
    note: dict[str, Any] = to.request("POST", "/notes", {"content": "a note"}).json()["data"]
    path = f"/notes/{note['id']}"
    for tag in TAGS:
        to.request("GET", path, **{"If-None-Match": tag})
        to.request("PUT", path, {"content": "put"}, **{"If-Match": tag})
        to.request("PATCH", path, {}, **{"If-Match": tag})
        to.request("POST", f"{path}/send", **{"If-Match": tag})
    for text in TEXTS:
        to.request("POST", f"{path}/comments", {"content": text})
        to.request("PATCH", path, {"content": text})
    for key in KEYS:
        for text, tag in (("first", "*"), ("other", "*"), ("first", '"0"')):
            headers = {"Idempotency-Key": key, "If-Match": tag}
            for target in ("/notes", f"{path}/comments", f"/notes/{IDS[2]}/comments"):
                to.request("POST", target, {"content": text}, **headers)
    for number in range(100):
        to.request("POST", f"{path}/comments", {"content": f"comment {number}"})
    to.request("POST", f"{path}/comments", {"content": "first"}, **{"Idempotency-Key": "k"})
    comments = to.request("GET", path).json()["data"]["comments"]
    for identifier in (*IDS, note["id"], comments[0]["id"]):
        for method in ("GET", "DELETE"):
            to.request(method, f"{path}/comments/{identifier}")
    for identifier in IDS:
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            to.request(method, f"/notes/{identifier}", {"content": ""}, **{"If-Match": '"0"'})
    to.request("GET", path)
    to.request("DELETE", path, **{"If-Match": '"1"'})
    to.request("DELETE", path)
    to.request("DELETE", path)
    to.request("GET", "/health/ready")


def carry(dump: Path) -> None:
    """Load a dump into the database of the environment, and take it from there again."""
    if not dump.exists():
        dump.write_bytes(dump_of(hard_records()))
    before = dump.read_bytes()
    for command in (["migrate"], ["load", str(dump)], ["dump", str(dump)]):
        cli(command, obj=Service("app.main:create_app", Settings), standalone_mode=False)
    assert dump.read_bytes() == before


if __name__ == "__main__":
    with new_database() as settings:
        os.environ["DATABASE_URL"] = settings.database_url.get_secret_value()
        carry(Path(sys.argv[1]))
        here = ("127.0.0.1", 1)
        with TestClient(create_app(settings), "http://127.0.0.1", client=here) as client:
            record(Recorder(client))
