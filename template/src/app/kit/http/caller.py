"""The caller, for routes and WebSockets."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.kit.caller import ANONYMOUS, Caller


async def get_caller(connection: HTTPConnection) -> Caller:
    """Return the caller; ``ANONYMOUS`` where no token is required."""
    caller: Caller = connection.scope.get("user", ANONYMOUS)
    return caller


CurrentCaller = Annotated[Caller, Depends(get_caller)]
