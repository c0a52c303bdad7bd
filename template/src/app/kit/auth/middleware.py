"""Lets a request pass or refuses it, before anything else of it is looked at."""

import logging
import re

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.auth.access import InvalidToken, TokenVerifier, is_elsewhere
from app.kit.errors import Unavailable
from app.kit.http.problems import problem, service_error

log = logging.getLogger(__name__)

HEALTH = "/health"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
MAX_HEADER_BYTES = 8 * 1024

_SCHEME = re.compile(rb"bearer( |$)", re.IGNORECASE)
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750, 2.1.


class Authentication:
    """Refuse a request unless the ``Guard`` of the lifespan's state lets it pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        guard: Guard = scope["state"]["guard"]
        refusal = await guard.refusal(scope)
        await (refusal or self.app)(scope, receive, send)


class Guard:
    """Decides who may pass: anyone to public paths, elsewhere whoever has a token that allows it.

    A path is public if it is one of those given, or below one, and health always is. What is not
    there is protected too: strangers cannot tell it from what is. Without an authority, all that
    comes from this machine to this machine may pass.
    """

    def __init__(self, public_paths: str, authority: TokenVerifier | None) -> None:
        self._public = {HEALTH, *public_paths.replace(",", " ").split()}
        self._below_public = tuple(f"{path}/" for path in self._public)
        self._authority = authority
        if not authority:
            log.warning("No token is asked for: all programs of this machine may read and write.")

    async def refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that may not pass, else ``None``."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in self._public or path.startswith(self._below_public):
            return None
        if self._authority:
            return await _refusal(self._authority, scope)
        return None if _is_local(scope) else _unauthorized("The service has no tokens yet.")


async def _refusal(authority: TokenVerifier, scope: Scope) -> Response | None:
    needed = "read" if scope.get("method") in SAFE_METHODS else "write"
    try:
        token = bearer_token(scope)
        if not token:
            return _unauthorized("The request needs a bearer token.")
        if needed in await authority.access(token):
            return None
    except InvalidToken:
        return _unauthorized("The token is not valid.", error="invalid_token")
    except Unavailable as error:
        return await service_error(Request(scope), error)
    headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    return problem(403, f"The token does not allow to {needed}.", headers=headers)


def bearer_token(scope: Scope) -> str | None:
    """Return the token that was sent, or ``None`` without one; of a malformed one, raise."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if not any(_SCHEME.match(value) for value in sent):
        return None
    match = _BEARER.fullmatch(sent[0]) if len(sent[0]) <= MAX_HEADER_BYTES else None
    if not match or len(sent) > 1:
        raise InvalidToken
    return match[1].decode()


def _is_local(scope: Scope) -> bool:
    ends = scope.get("server"), scope.get("client")
    return all(end and not is_elsewhere(end[0]) for end in ends)


def _unauthorized(detail: str, error: str = "") -> Response:
    """Return a 401; there is an ``error`` only if a token was sent (RFC 6750, 3.1)."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return problem(401, detail, headers={"WWW-Authenticate": challenge})
