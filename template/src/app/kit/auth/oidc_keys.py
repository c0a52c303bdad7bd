"""The public keys of an OpenID Connect issuer, found by discovery and kept."""

import asyncio
import logging
import math
import time
from typing import Any

import httpx
from jwt import PyJWK, PyJWKSet, PyJWTError

from app.kit.auth.access import InvalidToken, is_loopback
from app.kit.errors import Unavailable

log = logging.getLogger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 3
MAX_AGE_SECONDS = 3600
PAUSE_SECONDS = 5


def is_secure(text: str) -> bool:
    """Tell whether an URL's answer comes from whom it names: by TLS, or from this machine."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    is_here = url.scheme == "http" and is_loopback(url.host)
    return is_here or (url.scheme == "https" and bool(url.host))


class IssuerKeys:
    """Keys by their ids, fetched when a token names one that is not there, and each hour.

    Five seconds lie between two fetches, whatever tokens name. While the issuer does not answer,
    the keys that are there stay.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._keys: dict[str | None, PyJWK] = {}
        self._began = self._fetched = -math.inf
        self._fetch: asyncio.Task[None] | None = None
        self._is_away = False

    async def get(self, kid: str | None) -> PyJWK:
        """Return a key, or raise ``InvalidToken``, or ``Unavailable`` if it cannot be known now."""
        is_old = time.monotonic() > self._fetched + MAX_AGE_SECONDS
        if is_old or kid not in self._keys:
            self._begin_fetch()
            if self._fetch and not (self._is_away and kid in self._keys):
                await asyncio.wait([self._fetch])
        if kid in self._keys:
            return self._keys[kid]
        if self._is_away:
            raise Unavailable("The issuer of tokens does not answer.")
        raise InvalidToken

    def _begin_fetch(self) -> None:
        now = time.monotonic()
        if now >= self._began + PAUSE_SECONDS:
            self._began = now
            self._fetch = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await _fetched_keys(self._issuer)
        except (httpx.HTTPError, OSError, PyJWTError, ValueError) as error:
            log.warning("The keys of %s cannot be had: %r", self._issuer, error)
            self._is_away = True
        else:
            self._fetched, self._is_away = time.monotonic(), False


async def _fetched_keys(issuer: str) -> dict[str | None, PyJWK]:
    async with httpx.AsyncClient(timeout=None) as client:  # There is one for all of it.
        found = await _json(client, issuer.rstrip("/") + DISCOVERY)
        if found.get("issuer") != issuer:
            raise ValueError("it calls itself by another name")
        keys = PyJWKSet.from_dict(await _json(client, str(found.get("jwks_uri"))))
    return {key.key_id: key for key in keys if key.public_key_use != "enc"}


async def _json(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    if not is_secure(url):
        raise ValueError(f"{url} is not secure")
    answer = (await client.get(url)).raise_for_status().json()
    if not isinstance(answer, dict):
        raise ValueError(f"{url} answers no object")
    return answer
