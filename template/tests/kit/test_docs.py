"""The documents of the service, and their page."""

from importlib.metadata import metadata
from typing import Any

import httpx2
import pytest

from app import DISTRIBUTION


@pytest.fixture(scope="module")
def document(client: httpx2.Client) -> Any:
    return client.get("/openapi.json").json()


def test_the_document_says_what_the_project_says_of_itself(document: Any) -> None:
    about = metadata(DISTRIBUTION)

    assert document["info"]["version"] == about["Version"]
    assert document["info"]["description"] == about["Summary"]


def test_no_two_schemas_or_operations_have_one_name(document: Any) -> None:
    schemas = document["components"]["schemas"]
    operations = [o["operationId"] for path in document["paths"].values() for o in path.values()]

    assert [schema["title"] for schema in schemas.values()] == list(schemas)
    assert len(set(operations)) == len(operations)
    assert {"SampleData", "SamplePage"} <= set(schemas)
