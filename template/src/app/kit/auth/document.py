"""Authentication in the OpenAPI document."""

from typing import Any

from app.kit.auth.middleware import HEALTH, MAY_NOT, NO_TOKEN, access_of
from app.kit.http.examples import example_of
from app.kit.http.responses import REQUEST_ID_HEADER, title

CHALLENGE_HEADER = {
    "description": "`Bearer`, with the `error` of the token that was sent (RFC 6750).",
    "schema": {"type": "string"},
}


def protect(document: dict[str, Any], scheme: dict[str, str]) -> dict[str, Any]:
    """Add the security scheme, and 401 and 403, to all operations but those of health."""
    document["components"]["securitySchemes"] = {"bearer": scheme}
    for path, operations in document["paths"].items():
        if not path.startswith(f"{HEALTH}/"):
            for method, operation in operations.items():
                operation["security"] = [{"bearer": []}]
                may_not = MAY_NOT.format(access_of(method.upper()))
                refused = {"401": _refused(401, NO_TOKEN), "403": _refused(403, may_not)}
                operation["responses"] = dict(sorted((operation["responses"] | refused).items()))
    return document


def _refused(status: int, detail: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    example = example_of(status, {}, detail)
    return {
        "description": title(status),
        "headers": {"WWW-Authenticate": CHALLENGE_HEADER, "X-Request-ID": REQUEST_ID_HEADER},
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
