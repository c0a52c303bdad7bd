"""The public keys of an OpenID Connect issuer, found by discovery and kept."""

import asyncio
import json
import logging
import math
import re
import time
from typing import Any

import httpx2
from jwt import PyJWK, PyJWKSet

from app.kit.auth.access import InvalidToken, is_loopback
from app.kit.errors import Unavailable

log = logging.getLogger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 3
MAX_AGE_SECONDS = 3600
PAUSE_SECONDS = 5
MAX_BYTES = 512 * 1024
MAX_KEYS = 100
HOST = re.compile(rb"[a-z0-9.:-]+", re.IGNORECASE)


def is_secure(text: str) -> bool:
    """Return whether a URL uses TLS, or plain HTTP on this machine."""
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        return False
    is_here = url.scheme == "http" and is_loopback(url.host)
    return is_here or (url.scheme == "https" and bool(HOST.fullmatch(url.raw_host)))


class IssuerKeys:
    """Keys by their ids, fetched when a token names an unknown key, and every hour.

    Fetches are at least five seconds apart. A known key is used without waiting, until a successful
    fetch no longer has it. At most ``waiters`` requests wait for an unknown key: anyone can name
    one, and such requests must not take all slots.
    """

    def __init__(self, issuer: str, waiters: int) -> None:
        self._issuer, self._waiters = issuer, waiters
        self._keys: dict[str | None, PyJWK] = {}
        self._endpoints: tuple[str, str] | None = None
        self._began = self._fetched = -math.inf
        self._fetch: asyncio.Task[None] | None = None
        self._is_away = False

    async def get(self, kid: str | None) -> PyJWK:
        """Return a key, or raise ``InvalidToken``, or ``Unavailable`` without an answer."""
        is_old = time.monotonic() > self._fetched + MAX_AGE_SECONDS
        if is_old or kid not in self._keys:
            self._begin_fetch()
        if kid not in self._keys:
            await self._wait()
        if kid in self._keys:
            return self._keys[kid]
        if self._is_away:
            raise Unavailable("The issuer of tokens does not answer.")
        raise InvalidToken

    async def endpoints(self) -> tuple[str, str]:
        """Return where people sign in, and where a code is exchanged, or raise ``Unavailable``."""
        if not self._endpoints:
            self._begin_fetch()
            await self._wait()
        if not self._endpoints:
            raise Unavailable("The issuer does not say where to sign in.")
        return self._endpoints

    def _begin_fetch(self) -> None:
        now = time.monotonic()
        if now >= self._began + PAUSE_SECONDS and (not self._fetch or self._fetch.done()):
            self._began = now
            self._fetch = asyncio.create_task(self._refresh())

    async def _wait(self) -> None:
        if not self._fetch or self._fetch.done():
            return
        if self._waiters <= 0:
            raise Unavailable("Too many requests wait for the issuer of tokens.")
        self._waiters -= 1
        try:
            await asyncio.wait([self._fetch])
        finally:
            self._waiters += 1

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._endpoints, self._keys = await _fetched(self._issuer)
        except Exception as error:  # PyJWT may raise anything for malformed keys.
            log.warning("The keys of %s cannot be had: %.200r", self._issuer, error)
            self._is_away = True
        else:
            self._fetched, self._is_away = time.monotonic(), False


async def _fetched(issuer: str) -> tuple[tuple[str, str] | None, dict[str | None, PyJWK]]:
    plain = {"Accept-Encoding": "identity"}  # A compressed body could expand a thousand times.
    async with httpx2.AsyncClient(timeout=None, headers=plain) as client:  # See _refresh.
        found = await _json(client, issuer.rstrip("/") + DISCOVERY)
        if found.get("issuer") != issuer:
            raise ValueError("it calls itself by another name")
        keys = (await _json(client, str(found.get("jwks_uri")))).get("keys", [])
    if len(keys) > MAX_KEYS:
        raise ValueError(f"it has more than {MAX_KEYS} keys")
    usable = {key.key_id: key for key in PyJWKSet(keys) if key.public_key_use != "enc"}
    login, token = (str(found.get(f"{name}_endpoint")) for name in ("authorization", "token"))
    return (login, token) if is_secure(login) and is_secure(token) else None, usable


async def _json(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    if not is_secure(url):
        raise ValueError(f"{url} is not secure")
    body = bytearray()
    async with client.stream("GET", url) as answer:
        answer.raise_for_status()
        async for part in answer.aiter_raw():
            body += part
            if len(body) > MAX_BYTES:
                raise ValueError(f"{url} answers more than {MAX_BYTES:,} bytes")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"{url} answers no object")
    return found
