"""Authentication in the OpenAPI document."""

from typing import Any

from app.kit.auth.middleware import HEALTH
from app.kit.http.problems import title
from app.kit.http.responses import REQUEST_ID_HEADER

BEARER = {"type": "http", "scheme": "bearer"}
CHALLENGE_HEADER = {
    "description": "`Bearer`, with the `error` of the token that was sent (RFC 6750).",
    "schema": {"type": "string"},
}


def protect(document: dict[str, Any]) -> dict[str, Any]:
    """Add the security scheme, and 401 and 403, to all operations but those of health."""
    document["components"]["securitySchemes"] = {"bearer": BEARER}
    for path, operations in document["paths"].items():
        if not path.startswith(f"{HEALTH}/"):
            for operation in operations.values():
                operation["security"] = [{"bearer": []}]
                responses = operation["responses"] | {str(s): _refused(s) for s in (401, 403)}
                operation["responses"] = dict(sorted(responses.items()))
    return document


def _refused(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": title(status),
        "headers": {"WWW-Authenticate": CHALLENGE_HEADER, "X-Request-ID": REQUEST_ID_HEADER},
        "content": {"application/problem+json": {"schema": schema}},
    }
