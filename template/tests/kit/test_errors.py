"""Errors become problems with a status, also an owner's own; or a handler answers."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from app.kit.errors import NotFound, ServiceError


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the service, which does not raise its errors."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


class OutOfStock(ServiceError):
    status = 409


class NoSuchThing(NotFound):
    pass


class Unspecified(ServiceError):
    pass


def failing(app: FastAPI, error: Exception) -> None:
    """Add a route that fails."""

    @app.get("/failing")
    async def fail() -> None:
        raise error


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (OutOfStock("There is none left."), 409, "There is none left."),
        (NoSuchThing("There is no such thing."), 404, "There is no such thing."),
        (Unspecified("It cannot be done."), 400, "It cannot be done."),
        (HTTPException(418, "I am a teapot."), 418, "I am a teapot."),
        (HTTPException(422, "It makes no sense."), 422, "It makes no sense."),
        (HTTPException(460), 460, ""),
        (ZeroDivisionError("secret"), 500, "The service has a bug."),
    ],
)
def test_an_error_is_a_problem_with_its_status(
    app: FastAPI, client: TestClient, error: Exception, status: int, text: str
) -> None:
    failing(app, error)

    answer = client.get("/failing")
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["detail"]) == (status, status, text)
    assert ("errors" in problem) is (status == 422)


@pytest.mark.parametrize("error", [OutOfStock("There is none left."), ZeroDivisionError("secret")])
def test_an_error_has_a_handler(app: FastAPI, error: Exception) -> None:
    @app.exception_handler(Exception if isinstance(error, ZeroDivisionError) else OutOfStock)
    def apologise(request: Request, error: Exception) -> Response:
        return PlainTextResponse("sorry", 410)

    failing(app, error)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/failing")

    assert (answer.status_code, answer.text) == (410, "sorry")
    assert answer.headers["X-Request-ID"]
