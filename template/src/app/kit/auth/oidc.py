"""Tokens of an OpenID Connect issuer: JWTs, with their access in the claim ``scope`` or ``scp``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import jwt
from pydantic_settings import BaseSettings

from app.kit.auth.access import InvalidToken, TokenVerifier, require_loopback
from app.kit.auth.oidc_keys import IssuerKeys, is_secure
from app.kit.caller import ANONYMOUS, Access, Caller
from app.kit.errors import InvalidSettings

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
REQUIRED = ["exp", "iss", "aud", "sub"]
LEEWAY_SECONDS = 30
CACHE_SECONDS = 60
MAX_CACHED = 4096
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token that the issuer in `OIDC_ISSUER` made for the audience in "
    "`OIDC_AUDIENCE`, with the scope to read or to write. Your identity provider says how to get "
    "one, for example by its client credentials flow. Without an issuer, callers on the service's "
    "own machine need no token.",
}
REMEDY = "set OIDC_ISSUER and OIDC_AUDIENCE, or HOST=127.0.0.1"


COMMANDS: tuple[Callable[..., None], ...] = ()


class AuthSettings(BaseSettings):
    """The settings of authentication."""

    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_read_scope: str = "app:read"
    oidc_write_scope: str = "app:write"
    oidc_docs_client_id: str = ""
    max_concurrent_requests: int = 200
    host: str = "127.0.0.1"
    public_paths: str = "/docs,/openapi.json"


class Issuer(TokenVerifier):
    """Verifies JWTs that an issuer signed for an audience.

    The result is cached for a minute, or until the token expires: verifying a signature takes a
    hundred microseconds.
    """

    def __init__(
        self, issuer: str, audience: str, scopes: Mapping[Access, str], waiters: int
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._scopes = scopes
        self._keys = IssuerKeys(issuer, waiters)
        self._verified: dict[bytes, tuple[float, Caller]] = {}

    async def verify(self, token: str) -> Caller:
        """Return the caller: the token's subject, and what its scopes allow."""
        digest, now = sha256(token.encode()).digest(), time.time()
        until, caller = self._verified.get(digest, (0.0, ANONYMOUS))
        if now < until:
            return caller
        claims = await self._claims(token)
        if not claims["sub"]:  # It would be the subject of those who need no token.
            raise InvalidToken
        caller = Caller(claims["sub"], self._access(claims), claims)
        if len(self._verified) >= MAX_CACHED:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = min(now + CACHE_SECONDS, int(claims["exp"])), caller
        return caller

    def _access(self, claims: dict[str, Any]) -> frozenset[Access]:
        """Return what the scopes allow; an access whose scope is not set needs none."""
        scopes = claims.get("scope", claims.get("scp"))
        names = scopes.split() if isinstance(scopes, str) else scopes
        granted = names if isinstance(names, list) else []
        needed = self._scopes.items()
        return frozenset(each for each, scope in needed if not scope or scope in granted)

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = await self._keys.get(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token,
                key,  # It has its algorithm; the token cannot choose one.
                ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED, "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError:
            raise InvalidToken from None


def build_verifier(settings: AuthSettings) -> Issuer | None:
    """Return the verifier, or ``None`` without an issuer, which is allowed on loopback only.

    Raises ``InvalidSettings`` if a setting is missing or wrong.
    """
    issuer, audience = settings.oidc_issuer, settings.oidc_audience
    if not issuer and not audience:
        require_loopback(settings.host, REMEDY)
        return None
    if not issuer or not audience:
        missing = "OIDC_AUDIENCE" if issuer else "OIDC_ISSUER"
        raise InvalidSettings(f"{missing}: missing; without it no token can be believed")
    if not is_secure(issuer):
        raise InvalidSettings("OIDC_ISSUER: not an URL with https://, or with http://127.0.0.1")
    scopes: dict[Access, str] = {
        "read": settings.oidc_read_scope,
        "write": settings.oidc_write_scope,
    }
    return Issuer(issuer, audience, scopes, waiters=settings.max_concurrent_requests // 2)
