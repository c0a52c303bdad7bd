"""The route for Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Return the metrics of all workers; on a thread, as it reads their files."""
    return Response(request.state.metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
