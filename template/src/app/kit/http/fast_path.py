"""A fast path for ordinary requests: what FastAPI would do for them, in fewer steps.

FastAPI gets all others, untouched. Routes are read as FastAPI has included them, with dependencies
that were added, and parameters by FastAPI's own fields. The template's docs/decisions/fast-path.md
has the reasons, and the parts of FastAPI that are used.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from functools import partial
from inspect import iscoroutinefunction
from itertools import takewhile
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import _get_multidict_value, _get_param_model
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts, serialize_response
from fastapi.utils import is_body_allowed_for_status_code
from pydantic_core import PydanticUndefined
from starlette import routing
from starlette._utils import get_route_path
from starlette.convertors import StringConvertor
from starlette.datastructures import QueryParams
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.routing import Route, StrictRequest

PLAIN = APIRoute, APIWebSocketRoute, routing.Route, routing.WebSocketRoute, routing.Mount
MATCHES = {kind.matches for kind in PLAIN}
PARTS = {"path_params": "path_params", "query_params": "query_params", "header_params": "headers"}
CONNECTIONS = "request_param_name", "http_connection_param_name"
OF_DEPENDENCY = {"call", "name", "path", "scope", "use_cache", *CONNECTIONS}
OF_ENDPOINT = {*OF_DEPENDENCY, *PARTS, "dependencies", "body_params", "response_param_name"}
OPTIONS = "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none"


class FastPath:
    """The innermost middleware: what FastAPI does within is not done for ordinary requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._fastapi = app
        self._state: tuple[Any, ...] = ()
        self._tried: list[tuple[Any, Any, _Operation | None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._find(scope) if scope["type"] == "http" else None
        rest = await operation.answer(scope, receive, send) if operation else receive
        if rest:
            await self._fastapi(scope, rest, send)

    def _find(self, scope: Scope) -> "_Operation | None":
        """Return what answers a request; FastAPI tries the routes in the same order."""
        app: FastAPI = scope["app"]
        if app.dependency_overrides or "fastapi.telemetry" in scope:
            return None
        state = (app.router._get_routes_version(), *app.routes)
        if state != self._state:
            innermost: Any = app.user_middleware[-1].cls
            routes = takewhile(_is_plain, app.routes) if innermost is FastPath else ()
            self._state, contexts = state, iter_route_contexts([*routes])
            self._tried = [(each.methods, each.path_regex, _operation(each)) for each in contexts]
        method, path = scope["method"], get_route_path(scope)
        for methods, pattern, operation in self._tried:
            if (not methods or method in methods) and (match := pattern.match(path)):
                if operation:
                    scope["path_params"] = scope.get("path_params", {}) | match.groupdict()
                return operation
        return None


def _is_plain(route: Any) -> bool:
    """Return whether FastAPI's own code matches it."""
    if router := getattr(route, "original_router", None):
        return type(router) is APIRouter and all(map(_is_plain, router.routes))
    return type(route).matches in MATCHES


def _operation(context: Any) -> "_Operation | None":
    """Return what does all that FastAPI would do for a route, or ``None`` if it would do more."""
    route, kind = context.original_route, type(context.original_route)
    if not issubclass(kind, Route) or context.app is route.app:
        return None  # Not one of ours, or not included: something else may have wrapped it.
    endpoint, body, given = context.dependant, context.body_field, context.dependant.dependencies
    is_known = (
        (kind.get_route_handler, kind.handle) == (Route.get_route_handler, APIRoute.handle)
        and all(type(each) is StringConvertor for each in context.param_convertors.values())
        and isinstance(context.response_class, DefaultPlaceholder)
        and (context.response_field is not None and context.max_body_size is None)
        and (not body or type(body.field_info) is params.Body)
        and endpoint.body_params == ([body] if body else [])  # Else several are in one object.
        and all(is_simple for *_, is_simple in _parameters(endpoint))
        and _has_only(endpoint, OF_ENDPOINT)
        and all(_has_only(each, OF_DEPENDENCY) for each in given)
        and len({each.call for each in given}) == len(given)
    )
    return _Operation(context) if is_known else None


def _has_only(dependant: Any, known: set[str]) -> bool:
    """Return whether it is a coroutine function without anything that is not known."""
    rest = {field.name for field in fields(dependant)} - known
    return iscoroutinefunction(dependant.call) and not any(getattr(dependant, n) for n in rest)


def _parameters(endpoint: Any) -> Iterator[tuple[Any, str, str, bool, Any, bool]]:
    """Yield each parameter: its place and default; last, whether these are always the same."""
    for field, part in ((f, PARTS[name]) for name in PARTS for f in getattr(endpoint, name)):
        info, key, default = field.field_info, field.validation_alias or field.alias, field.default
        is_list = isinstance(_get_multidict_value(field, QueryParams({key: "1"}), key), list)
        is_named = isinstance(info.validation_alias, str | None) and not _get_param_model(field)
        varies = info.default_factory or info.validate_default or deepcopy(default) is not default
        missing = default, default is PydanticUndefined
        yield field, part, key, is_list, missing, is_named and not varies


class _Operation:
    """A route, ready to answer."""

    def __init__(self, context: Any) -> None:
        self._route, self._endpoint = context.original_route, context.dependant
        self._parameters, self._body = list(_parameters(self._endpoint)), context.body_field
        self._status, self._field = context.status_code or 200, context.response_field
        self._options = {name: getattr(context, f"response_model_{name}") for name in OPTIONS}

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a request, or return how FastAPI can receive it."""
        messages = [await receive()] if self._body else []

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        request = StrictRequest(scope, receive_again)
        try:
            arguments = self._arguments(request, *messages)
        except Exception:  # Also what an owner's validator raises: FastAPI has it handled.
            return receive_again
        if messages:
            await request.body()  # Stays, whatever the endpoint receives before it.
        scope.update(route=self._route, endpoint=self._endpoint.call)
        scope.setdefault("router", request.app.router)  # Of the outermost application, for URLs.
        try:
            answer: ASGIApp = await self._respond(request, arguments)
        except Exception as error:
            answer = partial(self._fail, error)
        if type(answer) is not Response:
            given = request.app.exception_handlers.items()
            handlers = {kind: handle for kind, handle in given if kind not in (500, Exception)}
            for _ in "route", "application":  # A handler may raise for another one.
                answer = ExceptionMiddleware(answer, handlers)
        await answer(scope, receive_again, send)
        return None

    async def _fail(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(error, RequestValidationError):
            await self._route.must_exist(StrictRequest(scope, receive))
        raise error

    def _arguments(self, request: StrictRequest, *body: Message) -> dict[str, Any]:
        """Return the arguments that the request has, or raise ``ValueError``."""
        arguments: dict[str, Any] = _connections(self._endpoint, request)
        for field, part, key, is_list, missing, _ in self._parameters:
            received = getattr(request, part)
            sent = (received.getlist(key) or None) if is_list else received.get(key)
            arguments[field.name], errors = missing if sent is None else field.validate(sent)
            if errors:
                raise ValueError
        if body:
            arguments[self._body.name], errors = self._body.validate(request.json_of(*body))
            if errors:
                raise ValueError
        return arguments

    async def _respond(self, request: Request, arguments: dict[str, Any]) -> Response:
        for each in self._endpoint.dependencies:
            given = await each.call(**_connections(each, request))
            arguments |= {each.name: given} if each.name else {}
        own: Any = Response()
        own.raw_headers, own.status_code = [], None
        if self._endpoint.response_param_name:
            arguments[self._endpoint.response_param_name] = own
        result = await self._endpoint.call(**arguments)
        if isinstance(result, Response):
            return result
        content = await serialize_response(
            field=self._field, response_content=result, dump_json=True, **self._options
        )
        response = Response(content, own.status_code or self._status, media_type="application/json")
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.raw_headers.extend(own.raw_headers)
        return response


def _connections(dependant: Any, request: Request) -> dict[str, Any]:
    return {name: request for each in CONNECTIONS if (name := getattr(dependant, each))}
