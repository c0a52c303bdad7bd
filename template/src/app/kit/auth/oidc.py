"""Tokens of an OpenID Connect issuer: JWTs, with their access in the claim ``scope`` or ``scp``."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import jwt
from pydantic_settings import BaseSettings

from app.kit.auth.access import Access, InvalidToken, TokenVerifier, must_be_on_loopback
from app.kit.auth.oidc_keys import IssuerKeys, is_secure
from app.kit.errors import InvalidSettings

SCOPES: dict[str, Access] = {"notes:read": "read", "notes:write": "write"}
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
LEEWAY_SECONDS = 30
CACHE_SECONDS = 60
MAX_CACHED = 4096
REMEDY = "set OIDC_ISSUER and OIDC_AUDIENCE, or HOST=127.0.0.1"


COMMANDS: tuple[Callable[..., None], ...] = ()


class AuthSettings(BaseSettings):
    """What the environment decides about who may use the service."""

    oidc_issuer: str = ""
    oidc_audience: str = ""
    host: str = "127.0.0.1"
    public_paths: str = "/docs,/openapi.json"


class Issuer(TokenVerifier):
    """Believes what an issuer has signed for an audience.

    A token that was verified is believed for a minute, if it is valid for as long, since a
    signature takes a hundred microseconds.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = IssuerKeys(issuer)
        self._verified: dict[bytes, tuple[float, frozenset[Access]]] = {}

    async def access(self, token: str) -> frozenset[Access]:
        """Return what the token's scopes allow."""
        digest, now = sha256(token.encode()).digest(), time.time()
        until, allowed = self._verified.get(digest, (0.0, frozenset[Access]()))
        if now < until:
            return allowed
        claims = await self._claims(token)
        allowed = _access(claims)
        if len(self._verified) >= MAX_CACHED:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = min(now + CACHE_SECONDS, int(claims["exp"])), allowed
        return allowed

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = await self._keys.get(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token,
                key,  # It has its algorithm: what the token says of one is only compared.
                ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError:
            raise InvalidToken from None


def _access(claims: dict[str, Any]) -> frozenset[Access]:
    scopes = claims.get("scope", claims.get("scp"))
    names = scopes.split() if isinstance(scopes, str) else scopes
    if not isinstance(names, list):
        return frozenset()
    return frozenset(access for name, access in SCOPES.items() if name in names)


def build_verifier(settings: AuthSettings) -> Issuer | None:
    """Return who knows the tokens, or ``None`` to ask for none, which is for loopback only.

    Raises ``InvalidSettings`` if a setting is missing, and if others than this machine could come.
    """
    issuer, audience = settings.oidc_issuer, settings.oidc_audience
    if not issuer and not audience:
        must_be_on_loopback(settings.host, REMEDY)
        return None
    if not issuer or not audience:
        missing = "OIDC_AUDIENCE" if issuer else "OIDC_ISSUER"
        raise InvalidSettings(f"{missing}: missing; without it no token can be believed")
    if not is_secure(issuer):
        raise InvalidSettings("OIDC_ISSUER: not an URL with https://, or with http://127.0.0.1")
    return Issuer(issuer, audience)
