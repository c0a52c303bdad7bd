"""A running service that requires tokens, of any verifier."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import httpx2

from app.settings import Settings
from tests.kit.probe.service import create_app
from tests.kit.support import check_problem, client_of

(TOKENS,) = (
    import_module(f"tests.kit.verifiers.{path.stem}")
    for path in Path(__file__).parent.glob("verifiers/[a-z]*.py")
)


@dataclass
class Protected:
    """A running service that asks for tokens."""

    client: httpx2.Client
    tokens: dict[str, str]

    def request(
        self, method: str, path: str, access: str = "read+write", **options: object
    ) -> httpx2.Response:
        """Send a request with the token for an access."""
        headers = {"Authorization": f"Bearer {self.tokens[access]}"}
        return self.client.request(method, path, headers=headers, json=options or None)


@contextmanager
def serving(settings: Settings) -> Iterator[Protected]:
    with (
        TOKENS.with_tokens(settings) as (asking, tokens),
        client_of(create_app(asking)) as client,
    ):
        yield Protected(client, tokens)


def check_refused(answer: httpx2.Response, status: int, challenge: str) -> None:
    check_problem(answer, status)
    assert answer.headers["WWW-Authenticate"] == challenge
