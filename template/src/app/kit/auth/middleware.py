"""Authentication and authorization, before anything else of a request is checked."""

import logging
import re

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.auth.access import InvalidToken, TokenVerifier, is_remote
from app.kit.caller import ANONYMOUS, Access, Caller
from app.kit.errors import Unavailable
from app.kit.http.problems import problem, unavailable
from app.kit.http.read_only import SAFE_METHODS

log = logging.getLogger(__name__)

HEALTH = "/health"
NO_TOKEN = "The request needs a bearer token."
MAY_NOT = "The token does not allow to {}."
MAX_HEADER_BYTES = 8 * 1024

_SCHEME = re.compile(rb"bearer( |$)", re.IGNORECASE)
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750, 2.1.


class Authentication:
    """Refuse a request unless the ``Guard`` of the lifespan's state admits it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        guard: Guard = scope["state"]["guard"]
        try:
            scope["user"] = await guard.admit(scope)
        except HTTPException as refusal:
            answer = problem(refusal.status_code, refusal.detail, headers=refusal.headers)
            await answer(scope, receive, send)
        except Unavailable as error:
            answer = await unavailable(Request({**scope, "type": "http"}), error)
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Guard:
    """Admits anyone to public paths, and elsewhere those with a token that allows the request.

    A path is public if it is one of the given paths or below one; health checks always are. Paths
    that do not exist are protected too, so that strangers cannot find out which exist. Without a
    verifier, only connections within this machine are admitted.
    """

    def __init__(self, public_paths: str, verifier: TokenVerifier | None) -> None:
        self._public = {HEALTH, *public_paths.replace(",", " ").split()}
        self._below_public = tuple(f"{path}/" for path in self._public)
        self._public.add("/")  # It only redirects to /docs.
        self._verifier = verifier
        if not verifier:
            log.warning("No token is required: all programs of this machine may read and write.")

    async def admit(self, scope: Scope) -> Caller:
        """Return the caller, or raise an ``HTTPException`` with 401 or 403."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in self._public or path.startswith(self._below_public):
            return ANONYMOUS
        if self._verifier:
            return await _verified(self._verifier, scope)
        if _is_local(scope):
            return ANONYMOUS
        raise _unauthorized("The service has no tokens yet.")


async def _verified(verifier: TokenVerifier, scope: Scope) -> Caller:
    try:
        token = bearer_token(scope)
        if not token:
            raise _unauthorized(NO_TOKEN)
        caller = await verifier.verify(token)
    except InvalidToken:
        raise _unauthorized("The token is not valid.", error="invalid_token") from None
    needed = access_of(scope.get("method", ""))
    if not caller.may(needed):
        headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
        raise HTTPException(403, MAY_NOT.format(needed), headers)
    return caller


def access_of(method: str) -> Access:
    """Return what a token must allow for a method."""
    return "read" if method in SAFE_METHODS else "write"


def bearer_token(scope: Scope) -> str | None:
    """Return the token that was sent, or ``None``; raise ``InvalidToken`` if it is malformed."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if not any(_SCHEME.match(value) for value in sent):
        return None
    match = _BEARER.fullmatch(sent[0]) if len(sent[0]) <= MAX_HEADER_BYTES else None
    if not match or len(sent) > 1:
        raise InvalidToken
    return match[1].decode()


def _is_local(scope: Scope) -> bool:
    ends = scope.get("server"), scope.get("client")
    return all(end and not is_remote(end[0]) for end in ends)


def _unauthorized(detail: str, error: str = "") -> HTTPException:
    """Return a 401, with an ``error`` only if a token was sent (RFC 6750, 3.1)."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return HTTPException(401, detail, {"WWW-Authenticate": challenge})
