"""Is the process alive, and can it serve?"""

from typing import Literal

from fastapi import APIRouter, Request

from app.http.answers import Data
from app.http.problems import documented

router = APIRouter(prefix="/health", tags=["health"], responses=documented(500))


@router.get("/live")
async def live() -> Data[Literal["live"]]:
    """Say that the process runs; the database is not asked."""
    return Data("live")


@router.get("/ready", responses=documented(503))
async def ready(request: Request) -> Data[Literal["ready"]]:
    """Say that the database answers and has the schema that this code needs."""
    await request.state.storage.check()
    return Data("ready")
