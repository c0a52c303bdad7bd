"""Paths that accept WebSockets, and handshakes that no route accepts."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.routing import BaseRoute, Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive

from app.kit.http.problems import problem

NO_WEBSOCKET = "The service does not accept this WebSocket."


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


async def open_websocket(app: ASGIApp, exchange: Any, receive: Receive) -> None:
    """Have each handshake that is not accepted answered by a problem."""

    async def send(message: Message) -> None:
        if message["type"] == "websocket.close" and not exchange.status:
            await problem(HTTPStatus.FORBIDDEN, NO_WEBSOCKET)(
                exchange.scope, receive, exchange.send
            )
        else:
            await exchange.send(message)

    try:
        await app(exchange.scope, receive, send)
    except Exception as error:
        if exchange.status:
            raise
        await exchange.answer_bug(error, receive)
