"""Samples over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.kit.errors import PreconditionFailed
from app.kit.http.parameters import Cursor, Id, Limit
from app.kit.http.preconditions import IfMatch, IfNoneMatch, etag, stop_if_current
from app.kit.http.responses import CREATED, NOT_MODIFIED, TAGGED, Data, Page, documented
from app.kit.http.routing import Route
from tests.kit.probe.models import NewSample, Sample

router = APIRouter(prefix="/probe", route_class=Route, responses=documented(500, 503))


async def _samples(request: Request) -> Any:
    return request.state.probe


Samples = Annotated[Any, Depends(_samples)]


@router.get("", responses=documented(422))
async def list_samples(samples: Samples, limit: Limit = 20, cursor: Cursor = None) -> Page[Sample]:
    """Return the newest samples."""
    return Page(await samples.latest(limit=limit, before=cursor), None)


@router.post("", status_code=201, responses=CREATED | documented(408, 413, 422))
async def create_sample(body: NewSample, samples: Samples, response: Response) -> Data[Sample]:
    """Store a new sample."""
    sample = Sample.new(body.content)
    await samples.add(sample)
    response.headers.update({"Location": f"/probe/{sample.id}", "ETag": etag(sample.version)})
    return Data(sample)


@router.get("/bug", include_in_schema=False)
async def fail() -> None:
    """Fail as code with a bug does."""
    raise ZeroDivisionError


@router.get("/{sample_id}", responses=TAGGED | NOT_MODIFIED | documented(404))
async def get_sample(
    sample_id: Id, samples: Samples, response: Response, if_none_match: IfNoneMatch = ()
) -> Data[Sample]:
    """Return a sample."""
    sample = await samples.get(sample_id)
    stop_if_current(if_none_match, sample.version)
    response.headers["ETag"] = etag(sample.version)
    return Data(sample)


@router.put("/{sample_id}", responses=TAGGED | documented(404, 408, 412, 413, 422))
async def replace_sample(
    sample_id: Id, body: NewSample, samples: Samples, response: Response, if_match: IfMatch = None
) -> Data[Sample]:
    """Answer as if the sample had been replaced."""
    sample: Sample = await samples.get(sample_id)
    if if_match is not None and sample.version not in if_match:
        raise PreconditionFailed("The sample has changed.")
    response.headers["ETag"] = etag(sample.version)
    return Data(sample)
