"""Problems as the OpenAPI document shows them; tests compare them with answers."""

from collections.abc import Mapping
from typing import Any

from app.kit.http.limits import TOO_MANY
from app.kit.http.parameters import NO_SUCH_PATH
from app.kit.http.preconditions import UNQUOTED
from app.kit.http.problems import (
    BUG,
    INVALID,
    NOT_JSON,
    TOO_LARGE,
    TOO_SLOW,
)
from app.kit.http.responses import title

DETAILS = {
    404: NO_SUCH_PATH,
    408: TOO_SLOW,
    409: "A value that must be unique is taken.",
    412: UNQUOTED,
    413: TOO_LARGE,
    422: INVALID,
    500: BUG,
    503: TOO_MANY,
}
TAKEN = {"in": "body", "pointer": "/name", "detail": DETAILS[409]}
OF_BODY = {"in": "body", "pointer": "", "detail": NOT_JSON}
OF_QUERY = {
    "in": "query",
    "pointer": "/limit",
    "detail": "Input should be less than or equal to 100",
}


def example_of(status: int, operation: Mapping[str, Any], detail: str = "") -> dict[str, Any]:
    """Return a problem that the operation can answer with."""
    parts = {409: [] if detail else [TAKEN]}
    parts[422] = [OF_BODY if "requestBody" in operation else OF_QUERY]
    errors = parts.get(status)
    return {
        "type": "about:blank",
        "title": title(status),
        "status": status,
        "detail": detail or DETAILS.get(status, title(status)),
        "request_id": "e2259893-91a9-45ea-b46d-cb965cbe0cae",
        **({"errors": errors} if errors else {}),
    }
