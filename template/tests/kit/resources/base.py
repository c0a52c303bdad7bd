"""One resource: its samples, its repositories, and its path."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx2
import pytest

from app.kit.features import Feature
from app.kit.storage import Storage
from app.main import create_app
from app.settings import Settings
from tests.kit.memory import MemoryResources
from tests.kit.support import client_of, delete_all, migrated_database


class OfResource:
    """What is tested; ``filters`` are the parameters of its list."""

    feature: Feature
    resource: Any
    memory: type[MemoryResources[Any]]
    samples: ModuleType
    filters: tuple[str, ...] = ()
    client: httpx2.Client

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Iterator[Settings]:
        """A database of its own, so that no other test leaves anything in it."""
        with migrated_database() as settings:
            yield settings

    @pytest.fixture(name="client", scope="class")
    @classmethod
    def client_of_service(cls, settings: Settings) -> Iterator[httpx2.Client]:
        """A client of the service, which runs on that database."""
        with client_of(create_app(settings)) as client:
            yield client

    @pytest.fixture(autouse=True)
    def emptied(self, client: httpx2.Client) -> Iterator[None]:
        """Leave nothing to the next test."""
        self.client = client
        yield
        delete_all(client, *self.samples.PATHS)

    @pytest.fixture(params=["database", "memory"])
    def resources(self, request: pytest.FixtureRequest, storage: Storage) -> Any:
        """The real repository, and one in memory that must be like it."""
        return self.memory() if request.param == "memory" else storage.repository(self.feature)

    @property
    def path(self) -> str:
        """The path of the collection."""
        path: str = self.samples.PATHS[0]
        return path

    def body(self, number: int = 0) -> dict[str, Any]:
        """Return a sample; what it refers to is stored."""
        body: dict[str, Any] = self.samples.body(self.client, number)
        return body

    def values(self, number: int = 0) -> dict[str, Any]:
        body: Any = self.memory.body.model_validate(self.body(number))
        values: dict[str, Any] = body.values()
        return values

    def new(self, number: int = 0) -> Any:
        return self.resource.new(self.memory.body.model_validate(self.body(number)))

    def post(self, number: int = 0, key: str | None = None) -> httpx2.Response:
        """Send a sample, and return the answer that it is stored."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post(self.path, json=self.body(number), headers=headers)
        assert answer.status_code == 201, answer.text
        return answer

    def several(self) -> tuple[int, ...]:
        """Return the numbers of samples that can be stored at once: six, if none is unique."""
        if not self.memory.unique:
            return (0, 1, 0, 1, 0, 1)
        first, second = self.body(), self.body(1)
        return (0,) if any(first[name] == second[name] for name in self.memory.unique) else (0, 1)
