"""Errors as problem details (RFC 9457): the one place that turns an error into an answer."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from app.kit import logs
from app.kit.errors import KeyReused, PreconditionFailed, ServiceError, Unavailable
from app.kit.http.limits import MAX_BODY_BYTES
from app.kit.http.parameters import IDEMPOTENCY_KEY, NO_SUCH_PATH
from app.kit.http.preconditions import never_matches
from app.kit.http.responses import title

log = logging.getLogger(__name__)

RETRY_AFTER = "1"
INVALID = "The request is not valid."
NOT_JSON = "The body is not JSON in UTF-8."
NOT_OBJECT = "The body is not a JSON object, or its Content-Type is not application/json."
BUG = "The service has a bug."
TOO_LARGE = f"The body is over {MAX_BODY_BYTES} bytes."
TOO_SLOW = "The request took too long to arrive."
MAX_ERRORS = 20


def problem(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that says what went wrong; a 422 is about the body by default."""
    if status == 422 and not errors:
        errors = [{"in": "body", "pointer": "", "detail": detail}]
    content = {
        "type": "about:blank",
        "title": title(status),
        "status": status,
        "detail": detail,
        "request_id": logs.request_id.get(),
        **({"errors": errors} if errors else {}),
    }
    return JSONResponse(content, status, headers, media_type="application/problem+json")


async def service_error(request: Request, error: Exception) -> Response:
    """Answer with the error's own status and message, and with the fields that are the reason."""
    assert isinstance(error, ServiceError)
    parts = [{"in": "body", "pointer": f"/{n}", "detail": str(error)} for n in error.fields]
    detail = INVALID if parts and error.status == 422 else str(error)
    return problem(error.status, detail, errors=parts)


async def precondition_failed(request: Request, error: Exception) -> Response:
    """Answer 412, with the reason if the header cannot match any version."""
    why = never_matches(request.headers.getlist("If-Match"))
    return problem(412, why or str(error))


async def unavailable(request: Request, error: Exception) -> Response:
    """Answer that the same request may succeed later."""
    assert isinstance(error, Unavailable)
    log.warning("%s %s", error, error.reason)
    request.state.metrics.failures.labels(error.kind).inc()
    return problem(error.status, str(error), headers={"Retry-After": RETRY_AFTER})


async def key_reused(request: Request, error: Exception) -> Response:
    """Answer 422 and name the header."""
    part = {"in": "header", "pointer": f"/{IDEMPOTENCY_KEY}", "detail": str(error)}
    return problem(422, INVALID, errors=[part])


async def invalid_request(request: Request, error: Exception) -> Response:
    """Answer 422 with the parts to correct, or 404 when the path itself is malformed."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(e["loc"][0] == "path" for e in found):
        return problem(404, NO_SUCH_PATH)
    parts = [_invalid_part(e) for e in found[:MAX_ERRORS]]
    return problem(422, INVALID, errors=parts)


def _invalid_part(error: Mapping[str, Any]) -> dict[str, str]:
    place, *path = error["loc"]
    if error["type"] == "json_invalid":
        return {"in": "body", "pointer": "", "detail": NOT_JSON}
    if place == "body" and not path and error["type"] in ("missing", "model_attributes_type"):
        return {"in": "body", "pointer": "", "detail": NOT_OBJECT}
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    pointer = "".join(f"/{step}" for step in steps)
    detail = error["msg"].removeprefix("Value error, ")  # What Pydantic puts before a ValueError.
    return {"in": place, "pointer": pointer, "detail": detail}


async def http_error(request: Request, error: Exception) -> Response:
    """Answer for errors of the framework: unknown paths and methods, long bodies."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return _method_not_allowed(request)
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    return problem(error.status_code, error.detail, headers=error.headers)


def _method_not_allowed(request: Request) -> Response:
    allowed = set[str]()
    for route in iter_route_contexts(request.app.routes):
        if route.matches(request.scope)[0] is not Match.NONE:
            allowed |= route.methods or {"GET"}
    allowed = (allowed or {"GET"}) | {"OPTIONS"}  # No route matches the files of a mounted folder.
    if "GET" in allowed:
        allowed.add("HEAD")
    headers = {"Allow": ", ".join(sorted(allowed))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    return problem(405, f"{request.method} is not a method of this path.", headers=headers)


async def bug(request: Request, error: Exception) -> Response:
    """Answer 500 without the error, which is in the log."""
    return problem(500, BUG)


HANDLERS: dict[Any, Any] = {
    Exception: bug,
    ServiceError: service_error,
    PreconditionFailed: precondition_failed,
    Unavailable: unavailable,
    KeyReused: key_reused,
    RequestValidationError: invalid_request,
    HTTPException: http_error,
}
