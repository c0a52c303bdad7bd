"""The routes whose ordinary requests the fast path answers.

The template's docs/decisions/fast-path.md lists the parts of FastAPI that are used.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import _get_multidict_value, _get_param_model
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette import routing
from starlette.convertors import StringConvertor
from starlette.datastructures import QueryParams

from app.kit.http.routing import Route

PLAIN = APIRoute, APIWebSocketRoute, routing.Route, routing.WebSocketRoute, routing.Mount
MATCHES = {kind.matches for kind in PLAIN}
PARTS = "path_params", "query_params", "header_params"
CONNECTIONS = "request_param_name", "http_connection_param_name"
OF_DEPENDENCY = {"call", "name", "path", "scope", "use_cache", *CONNECTIONS}
OF_ENDPOINT = {*OF_DEPENDENCY, *PARTS, "dependencies", "body_params", "response_param_name"}


def is_plain(route: Any) -> bool:
    """Return whether FastAPI's own code matches a route."""
    if router := getattr(route, "original_router", None):
        return type(router) is APIRouter and all(map(is_plain, router.routes))
    return type(route).matches in MATCHES


def is_ordinary(context: Any) -> bool:
    """Return whether a route, as FastAPI has included it, has nothing that is not known here."""
    route, kind = context.original_route, type(context.original_route)
    if not issubclass(kind, Route) or context.app is route.app:
        return False  # Not one of ours, or not included: something else may have wrapped it.
    endpoint, body, given = context.dependant, context.body_field, context.dependant.dependencies
    return (
        (kind.get_route_handler, kind.handle) == (Route.get_route_handler, APIRoute.handle)
        and all(type(each) is StringConvertor for each in context.param_convertors.values())
        and isinstance(context.response_class, DefaultPlaceholder)
        and (context.response_field is not None and context.max_body_size is None)
        and (not body or type(body.field_info) is params.Body)
        and endpoint.body_params == ([body] if body else [])  # Else several are in one object.
        and all(_is_simple(field) for _, field in _fields(endpoint))
        and _has_only(endpoint, OF_ENDPOINT)
        and all(_has_only(each, OF_DEPENDENCY) for each in given)
        and len({each.call for each in given}) == len(given)
    )


def _has_only(dependant: Any, known: set[str]) -> bool:
    """Return whether it is a coroutine function without anything that is not known."""
    rest = {field.name for field in fields(dependant)} - known
    return iscoroutinefunction(dependant.call) and not any(getattr(dependant, n) for n in rest)


def _is_simple(field: Any) -> bool:
    """Return whether a parameter has one name, and a default that is always the same."""
    info, default = field.field_info, field.default
    varies = info.default_factory or info.validate_default or deepcopy(default) is not default
    return isinstance(info.validation_alias, str | None) and not (_get_param_model(field) or varies)


def _fields(endpoint: Any) -> list[tuple[str, Any]]:
    return [(part, field) for part in PARTS for field in getattr(endpoint, part)]


def parameters(endpoint: Any) -> Iterator[tuple[str, Any, str, bool, tuple[Any, bool]]]:
    """Yield the part of each parameter, its field and key, and whether it takes all values.

    Last comes its value if it is missing, and whether that is an error.
    """
    for part, field in _fields(endpoint):
        key = field.validation_alias or field.alias
        is_list = isinstance(_get_multidict_value(field, QueryParams({key: "1"}), key), list)
        yield part, field, key, is_list, (field.default, field.field_info.is_required())


def connections(dependant: Any) -> list[str]:
    """Return the names of a function's parameters that are the request itself."""
    return [name for each in CONNECTIONS if (name := getattr(dependant, each))]
