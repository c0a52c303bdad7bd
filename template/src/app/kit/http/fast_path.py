"""A fast path for ordinary requests: what FastAPI would do for them, in fewer steps.

FastAPI gets all others, untouched. The template's docs/decisions/fast-path.md has the reasons, and
the parts of FastAPI that are used.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from operator import attrgetter
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import iter_route_contexts, serialize_response
from fastapi.utils import is_body_allowed_for_status_code
from starlette._utils import get_route_path
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.ordinary import connections, is_ordinary, is_plain, parameters
from app.kit.http.routing import JoinedHeaders, StrictRequest, with_handlers

PARTS: dict[str, Callable[[Request], Any]] = {
    "path_params": attrgetter("path_params"),
    "query_params": attrgetter("query_params"),
    "header_params": lambda request: JoinedHeaders(scope=request.scope),
}
OPTIONS = "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none"


class FastPath:
    """The innermost middleware: what FastAPI does within is not done for ordinary requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._fastapi = app
        self._state: tuple[Any, ...] = ()
        self._tried: list[tuple[Any, Any, str, _Operation | None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._find(scope) if scope["type"] == "http" else None
        rest = await operation.answer(scope, receive, send) if operation else receive
        if rest:
            await self._fastapi(scope, rest, send)

    def _find(self, scope: Scope) -> "_Operation | None":
        """Return what answers a request; FastAPI tries the routes in the same order."""
        app: FastAPI = scope["app"]
        is_simple = not app.dependency_overrides and "fastapi.telemetry" not in scope
        state = (app.router._get_routes_version(), *app.routes)
        if state != self._state:
            self._state, self._tried = state, list(_read(app))
        method, path = scope["method"], get_route_path(scope)
        for methods, pattern, template, operation in self._tried:
            if (not methods or method in methods) and (match := pattern.match(path)):
                scope["path_template"] = template
                if not operation or not is_simple:
                    return None
                scope["path_params"] = scope.get("path_params", {}) | match.groupdict()
                return operation
        return None


def _read(app: FastAPI) -> Iterator[tuple[Any, Any, str, "_Operation | None"]]:
    innermost: Any = app.user_middleware[-1].cls
    routes = takewhile(is_plain, app.routes) if innermost is FastPath else ()
    for each in iter_route_contexts([*routes]):
        operation = _Operation(each) if is_ordinary(each) else None
        template = "" if isinstance(each.original_route, Mount) else each.path or ""
        yield each.methods, each.path_regex, template, operation


class _Operation:
    """A route, ready to answer."""

    def __init__(self, context: Any) -> None:
        self._route, endpoint = context.original_route, context.dependant
        self._call, self._names = endpoint.call, connections(endpoint)
        self._dependencies = [(e.call, e.name, connections(e)) for e in endpoint.dependencies]
        self._parameters, self._body = list(parameters(endpoint)), context.body_field
        self._status, self._response = context.status_code or 200, endpoint.response_param_name
        options = {name: getattr(context, f"response_model_{name}") for name in OPTIONS}
        field = context.response_field
        self._to_json = partial(serialize_response, field=field, dump_json=True, **options)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a request, or return how FastAPI can receive it."""
        request, messages = StrictRequest(scope, receive), list[Message]()

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        try:
            if self._body:
                messages.append({"type": "http.request", "body": await request.body()})
            arguments = await self._arguments(request)
        except Exception:  # Also what an owner's validator raises: FastAPI has it handled.
            return receive_again
        scope.update(route=self._route, endpoint=self._call)
        scope.setdefault("router", request.app.router)  # Of the outermost application, for URLs.
        try:
            answer: ASGIApp = await self._respond(request, arguments)
        except Exception as error:
            answer = self._route.failing(error)
        if type(answer) is not Response:
            answer = with_handlers(answer, request.app)
        await answer(scope, receive, send)
        return None

    async def _arguments(self, request: StrictRequest) -> dict[str, Any]:
        """Return the arguments that the request has, or raise ``ValueError``."""
        arguments: dict[str, Any] = dict.fromkeys(self._names, request)
        for part, field, key, is_list, missing in self._parameters:
            received = PARTS[part](request)
            sent = (received.getlist(key) or None) if is_list else received.get(key)
            arguments[field.name] = _valid(*(missing if sent is None else field.validate(sent)))
        if self._body:
            content = await request.json_as_declared()
            arguments[self._body.name] = _valid(*self._body.validate(content))
        return arguments

    async def _respond(self, request: Request, arguments: dict[str, Any]) -> Response:
        for call, name, names in self._dependencies:
            given = await call(**dict.fromkeys(names, request))
            arguments |= {name: given} if name else {}
        own: Any = Response()
        own.raw_headers, own.status_code = [], None
        if self._response:
            arguments[self._response] = own
        result = await self._call(**arguments)
        if isinstance(result, Response):
            return result
        content = await self._to_json(response_content=result)
        response = Response(content, own.status_code or self._status, media_type="application/json")
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.raw_headers.extend(own.raw_headers)
        return response


def _valid(value: Any, errors: Any) -> Any:
    if errors:
        raise ValueError
    return value
