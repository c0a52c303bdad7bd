"""What holds for every request, tried with many that are made up from the OpenAPI document.

They are the same ones every time; `make fuzz` tries many more, and others each time.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx2
import schemathesis
from hypothesis import settings as limited
from schemathesis import checks

from app.main import create_app
from app.settings import Settings
from tests.kit.fuzzing import EXAMPLES
from tests.notes.test_notes import create

CHECKS = [
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]
INTERNALS = ("Traceback", ".py")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

document = schemathesis.openapi.from_dict(create_app(Settings.model_construct()).openapi())


@document.parametrize()
@limited(EXAMPLES)
def test_every_answer_is_as_documented(
    case: schemathesis.Case[Any], client: httpx2.Client, settings: Settings
) -> None:
    """It is no failure either, and reveals no internals. A note that is named exists."""
    if ID.fullmatch(str(case.path_parameters.get("note_id"))):
        case.path_parameters["note_id"] = create(client)["id"]

    answer = case.call_and_validate(base_url=str(client.base_url), checks=CHECKS)

    url = urlsplit(settings.database_url.get_secret_value())
    place = url.netloc.rpartition("@")[2] or url.path
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert not [word for word in (*INTERNALS, place) if word in answer.text]
