"""Headers for browsers: by default nothing is allowed; settings allow more."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from hashlib import sha256

import httpx2
import pytest

from app.settings import Settings
from tests.kit.probe.service import create_app
from tests.kit.support import MISSING, create, serving

APP = "https://app.example.com"
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"

Open = Callable[..., httpx2.Client]


@pytest.fixture(scope="module")
def open_with(settings: Settings) -> Iterator[Open]:
    """Return a function that runs the service with some settings."""
    with ExitStack() as stack:

        @cache
        def opened(**changed: object) -> httpx2.Client:
            app = create_app(settings.model_copy(update=changed))
            address = stack.enter_context(serving(app))
            return stack.enter_context(httpx2.Client(base_url=address))

        yield opened


@pytest.mark.parametrize("path", ["/probe", MISSING, "/nothing", "/probe/bug", "/openapi.json"])
def test_every_answer_may_be_neither_guessed_nor_framed_nor_kept(
    open_with: Open, path: str
) -> None:
    headers = open_with().get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == NO_PAGE
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_a_sample_may_be_kept_by_who_asks_whether_it_is_current(client: httpx2.Client) -> None:
    path = create(client)
    known = {"If-None-Match": client.get(path).headers["ETag"]}

    for answer in (client.get(path), client.get(path, headers=known)):
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_the_docs_page_runs_its_own_scripts_only(client: httpx2.Client) -> None:
    page = client.get("/docs")
    (policy,) = page.headers.get_list("Content-Security-Policy")
    scripts = re.findall(b"<script>(.*?)</script>", page.content, re.DOTALL)
    digests = [b64encode(sha256(script).digest()).decode() for script in scripts]

    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert scripts
    assert f"script-src 'self' {allowed};" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_https_is_demanded_by_setting(open_with: Open) -> None:
    headers = open_with(hsts_seconds=31_536_000).get("/probe").headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_other_origin_is_allowed_by_default(client: httpx2.Client) -> None:
    for method in ("GET", "OPTIONS"):
        headers = client.request(method, "/probe", headers={"Origin": APP}).headers
        assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/probe", MISSING, "/probe?limit=0", "/nothing", "/probe/bug"])
def test_a_page_of_an_allowed_origin_may_read_every_answer(open_with: Open, path: str) -> None:
    client = open_with(cors_origins=frozenset({APP}))

    headers = client.get(path, headers={"Origin": APP}).headers

    assert headers["Access-Control-Allow-Origin"] == APP
    assert headers["Vary"] == "Origin"
    assert {"ETag", "Location", "Retry-After", "X-Request-ID"} <= set(
        headers["Access-Control-Expose-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_is_answered_with_what_may_be_sent(open_with: Open) -> None:
    client = open_with(cors_origins=frozenset({APP}), cors_credentials=True)
    asked = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}

    answer = client.options(MISSING, headers=asked)

    assert answer.status_code == 204
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["X-Request-ID"]
