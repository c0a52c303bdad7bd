"""An OpenID Connect issuer on loopback, with its own keys."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from app.settings import Settings

AUDIENCE = "app"
SCOPES = {
    "read": "app:read",
    "write": "app:write",
    "read+write": "openid app:read app:write",
}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass
class Key:
    """A key that signs, and what the issuer publishes of it."""

    kid: str
    algorithm: str
    private: PrivateKey

    def published(self) -> dict[str, Any]:
        """Return the public half as a JSON Web Key."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            jwk = ECAlgorithm.to_jwk(public, as_dict=True)
        else:
            jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
        return jwk | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Return a token."""
        headers = {"kid": self.kid, **header}
        return jwt.encode(claims, self.private, self.algorithm, headers)


def new_key(kid: str) -> Key:
    """Return a new key, of the kind that is made fastest."""
    return Key(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


class LocalIssuer(ThreadingHTTPServer):
    """Answers with its documents by their paths, and remembers what it was asked for.

    A document is sent as JSON; an iterator of bytes is sent unchanged.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.status, self.written = 200, 0
        self.answering = threading.Event()
        self.answering.set()
        self.documents: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
            }
        }
        self.key = new_key("first")
        self.publish(self.key)

    def publish(self, *keys: Key | dict[str, Any]) -> None:
        """Publish these keys and no others."""
        published = [key.published() if isinstance(key, Key) else key for key in keys]
        self.documents["/keys"] = {"keys": published}

    def claims(self, **others: Any) -> dict[str, Any]:
        """Return the claims of a token for reading and writing; ``None`` leaves one out."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300}
        claims |= {"scope": SCOPES["read+write"]} | others
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **others: Any) -> str:
        """Return a token with these claims, signed with the issuer's key."""
        return self.key.sign(self.claims(**others))


class _Handler(BaseHTTPRequestHandler):
    server: LocalIssuer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.answering.wait()
        found = self.server.documents.get(self.path)
        self.send_response(404 if found is None else self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        parts = found if isinstance(found, Iterator) else [json.dumps(found).encode()]
        with suppress(OSError):  # The client has read enough.
            for part in parts:
                self.wfile.write(part)
                self.server.written += len(part)

    def log_message(self, *message: object) -> None:
        """Say nothing."""


@contextmanager
def local_issuer() -> Iterator[LocalIssuer]:
    """Run an issuer."""
    with LocalIssuer() as issuer:
        thread = threading.Thread(target=issuer.serve_forever, args=(0.01,))
        thread.start()
        yield issuer
        issuer.answering.set()
        issuer.shutdown()
        thread.join()


@contextmanager
def with_tokens(settings: Settings) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Yield settings that name an issuer, and a token of it for each access."""
    with local_issuer() as issuer:
        tokens = {access: issuer.token(scope=scope) for access, scope in SCOPES.items()}
        names = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE}
        yield settings.model_copy(update=names), tokens
