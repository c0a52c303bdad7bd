"""A path prefix that the proxy in front of the service strips."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StrippedPrefix:
    """Restore the prefix in the request's path, as ASGI demands, and in ``Location``.

    A ``Location`` that is a path is one of the service, without the prefix.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        scope["root_path"] = self._prefix
        scope["path"] = self._prefix + scope["path"]

        async def send_prefixed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])  # ASGI lets an application leave them out.
                headers = MutableHeaders(scope=message)
                location = headers.get("location", "")
                if location.startswith("/") and not location.startswith("//"):
                    headers["location"] = self._prefix + location
            await send(message)

        await self.app(scope, receive, send_prefixed)
