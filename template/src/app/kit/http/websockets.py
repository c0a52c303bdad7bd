"""Paths that accept WebSockets."""

from collections.abc import Sequence
from typing import Any

from starlette.routing import BaseRoute, Match, Mount
from starlette.staticfiles import StaticFiles


def takes_websocket(routes: Sequence[BaseRoute], path: str) -> bool:
    """Return whether one of the routes accepts a WebSocket at a path."""
    return _match(routes, {"type": "websocket", "path": path, "root_path": "", "headers": []})


def _match(routes: Sequence[BaseRoute], scope: dict[str, Any]) -> bool:
    for route in routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            inner = route.routes if isinstance(route, Mount) else []
            files = isinstance(route, Mount) and isinstance(route.app, StaticFiles)
            return _match(inner, {**scope, **child}) if inner else not files
    return False
