"""Who is calling, for routes and websockets."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.kit.caller import ANONYMOUS, Caller


async def get_caller(connection: HTTPConnection) -> Caller:
    """Return who is calling; ``ANONYMOUS`` where no token is asked for."""
    caller: Caller = connection.scope.get("user", ANONYMOUS)
    return caller


CurrentCaller = Annotated[Caller, Depends(get_caller)]
