"""A service that only reads, such as while its data are moved to another database."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.http.problems import RETRY_AFTER, problem

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
ONLY_READS = "The service only reads for now."


class ReadOnly:
    """Answer 503 to requests that may write."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            app = problem(503, ONLY_READS, headers={"Retry-After": RETRY_AFTER})
        await app(scope, receive, send)
