"""Liveness and readiness."""

import time
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request

from app.kit.http.responses import Data, documented

router = APIRouter(prefix="/health", tags=["health"], responses=documented(500))


@dataclass(frozen=True, slots=True)
class Live:
    """The process runs."""

    status: Literal["live"]


@dataclass(frozen=True, slots=True)
class Ready:
    """The database answers, after `latency_ms`, and has the schema that this code needs."""

    status: Literal["ready"]
    latency_ms: float


@router.get("/live")
async def get_liveness() -> Data[Live]:
    """Say that the process runs; the database is not asked."""
    return Data(Live("live"))


@router.get("/ready", responses=documented(503))
async def get_readiness(request: Request) -> Data[Ready]:
    """Say that the database answers with the schema that this code needs."""
    began = time.perf_counter()
    await request.state.storage.check(or_newer=True)
    return Data(Ready("ready", round((time.perf_counter() - began) * 1000, 1)))
