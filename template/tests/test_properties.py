"""What holds for every request, tried with many that are made up from the OpenAPI document.

They are the same ones every time; `make fuzz` tries many more, and others each time.
"""

import os
import re
from typing import Any
from urllib.parse import urlsplit

import httpx2
import schemathesis
from hypothesis import settings as hypothesis
from schemathesis import checks

from app.main import create_app
from app.settings import Settings

FUZZ = os.environ.get("FUZZ_EXAMPLES")
EXAMPLES = hypothesis(
    max_examples=int(FUZZ or 5), derandomize=not FUZZ, database=None, deadline=None
)
CHECKS = [
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]
INTERNALS = ("Traceback", ".py")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

document = schemathesis.openapi.from_dict(create_app(Settings.model_construct()).openapi())


def newest(client: httpx2.Client, collection: str) -> str | None:
    """Return the id of what was made last by requests before, if there is anything."""
    for resource in client.get(collection, params={"limit": 1}).json().get("data", ()):
        identifier: str = resource["id"]
        return identifier
    return None


@document.parametrize()
@EXAMPLES
def test_every_answer_is_as_documented(
    case: schemathesis.Case[Any], client: httpx2.Client, settings: Settings
) -> None:
    """It is no failure either, and reveals no internals. What is named by an id may exist."""
    for name, value in case.path_parameters.items():
        if ID.fullmatch(str(value)):
            collection = case.path.partition("/{")[0]
            case.path_parameters[name] = newest(client, collection) or value

    answer = case.call_and_validate(base_url=str(client.base_url), checks=CHECKS)

    url = urlsplit(settings.database_url.get_secret_value())
    place = url.netloc.rpartition("@")[2] or url.path
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert not [word for word in (*INTERNALS, place) if word in answer.text]
