"""Differences from FastAPI in how a route reads a request."""

import json
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.http.parameters import path_id


class JoinedHeaders(Headers):
    """Headers; several lines of one name are joined (RFC 9110, 5.3)."""

    def __getitem__(self, key: str) -> str:
        if lines := self.getlist(key):
            return ", ".join(lines)
        raise KeyError(key)


class StrictRequest(Request):
    """A request whose JSON must be UTF-8 (RFC 8259) and not nested too deeply."""

    @cached_property
    def headers(self) -> Headers:
        return JoinedHeaders(scope=self.scope)

    async def json(self) -> Any:
        return _parse(await self.body())

    async def json_as_declared(self) -> Any:
        """Return the JSON of a body that is said to be that, or raise ``ValueError``."""
        types = [value for name, value in self.scope["headers"] if name == b"content-type"]
        if types != [b"application/json"]:
            raise ValueError("another type of content")
        return await self.json()


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise json.JSONDecodeError("not JSON", "", 0) from None


class Route(APIRoute):
    """A route that answers 404 before 422, whatever was sent to a missing resource."""

    async def must_exist(self, request: Request) -> None:
        """Raise ``NotFound`` if the path names nothing; called for invalid requests only."""

    def failing(self, error: Exception) -> ASGIApp:
        """Return what raises an error of the endpoint."""

        async def fail(scope: Scope, receive: Receive, send: Send) -> None:
            if isinstance(error, RequestValidationError):
                await self.must_exist(StrictRequest(scope, receive))
            raise error

        return fail

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


def with_handlers(app: ASGIApp, owner: FastAPI) -> ASGIApp:
    """Return an application of which the handlers of its owner get the errors, as in FastAPI."""
    given = owner.exception_handlers.items()
    handlers = {kind: handle for kind, handle in given if kind not in (500, Exception)}
    for _ in "route", "application":  # A handler may raise for another one.
        app = ExceptionMiddleware(app, handlers)
    return app


def route_to(feature: str, id_name: str) -> type[Route]:
    """Return the class of a feature's routes, whose paths may name a resource by its id."""

    class ResourceRoute(Route):
        async def must_exist(self, request: Request) -> None:
            if id_name in request.path_params:
                await getattr(request.state, feature).get(path_id(request, id_name))

    return ResourceRoute
