"""Differences from FastAPI in how a route reads a request."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import Message

from app.kit.http.parameters import path_id


class _JoinedHeaders(Headers):
    """Headers; several lines of one name are joined (RFC 9110, 5.3)."""

    def __getitem__(self, key: str) -> str:
        if lines := self.getlist(key):
            return ", ".join(lines)
        raise KeyError(key)


class StrictRequest(Request):
    """A request whose JSON must be UTF-8 (RFC 8259) and not nested too deeply."""

    @cached_property
    def headers(self) -> Headers:
        return _JoinedHeaders(scope=self.scope)

    async def json(self) -> Any:
        return _parse(await self.body())

    def json_of(self, message: Message) -> Any:
        """Return the JSON of a body that is one message, or raise ``ValueError``."""
        types = [value for name, value in self.scope["headers"] if name == b"content-type"]
        if types != [b"application/json"] or message.get("more_body"):
            raise ValueError("not one message of JSON")
        return _parse(message.get("body", b""))


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise json.JSONDecodeError("not JSON", "", 0) from None


class Route(APIRoute):
    """A route that answers 404 before 422, whatever was sent to a missing resource."""

    async def must_exist(self, request: Request) -> None:
        """Raise ``NotFound`` if the path names nothing; called for invalid requests only."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler with these differences."""
        handle = super().get_route_handler()

        async def handle_missing_first(request: Request) -> Response:
            try:
                return await handle(StrictRequest(request.scope, request.receive))
            except RequestValidationError:
                await self.must_exist(request)
                raise

        return handle_missing_first


def repository_of(feature: str) -> Callable[[Request], Awaitable[Any]]:
    """Return the dependency that gives a route the repository of a feature."""

    async def repository(request: Request) -> Any:
        return getattr(request.state, feature)

    return repository


def route_to(feature: str, id_name: str) -> type[Route]:
    """Return the class of a feature's routes, whose paths may name a resource by its id."""

    class ResourceRoute(Route):
        async def must_exist(self, request: Request) -> None:
            if id_name in request.path_params:
                await getattr(request.state, feature).get(path_id(request, id_name))

    return ResourceRoute
