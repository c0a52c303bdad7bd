"""The features that take part in dumps."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

from pydantic import TypeAdapter

from app.kit.attributes import references
from app.kit.errors import ServiceError
from app.kit.features import Feature
from app.kit.storage import Storage


class TransferError(ServiceError):
    """Why something cannot be dumped or loaded."""


class Repository(Protocol):
    """What a feature's repository must have for the feature to take part."""

    def dump(self) -> AsyncGenerator[Sequence[Any], None]:
        """Yield a snapshot of all records in batches, ascending by ``id``."""
        ...

    async def load(self, records: Sequence[Any]) -> None:
        """Store records; one with the same ``id`` is replaced."""
        ...


@dataclass(frozen=True)
class Format:
    """The lines of a feature's dump: JSON of its ``Record``, which has an ``id``."""

    name: str
    records: TypeAdapter[Any]


@dataclass(frozen=True)
class DumpedFeature(Format):
    """A feature that takes part."""

    repository: Repository


def choose(name: str | None, features: Sequence[Feature], storage: Storage) -> list[DumpedFeature]:
    """Return the feature of this name, or all that take part, each after those it refers to.

    A feature refers to those that a ``Ref`` of its ``Record`` names. Raises ``TransferError``.
    """
    if name:
        return [find(name, features, storage)]
    taking_part = [each for each in features if _record(each)]
    refers_to = {each.name: {*references(_record(each)).values()} for each in taking_part}
    try:
        names = [*TopologicalSorter(refers_to).static_order()]
    except CycleError as error:
        raise TransferError(f"Features refer to each other: {', '.join(error.args[1])}.") from None
    if not names:
        raise TransferError("No feature takes part in dumps.")
    return [find(each, features, storage) for each in names]


def find(name: str, features: Sequence[Feature], storage: Storage) -> DumpedFeature:
    """Return the feature of this name, or raise ``TransferError`` with what it lacks."""
    feature = next((each for each in features if each.name == name), None)
    if not feature:
        known = ", ".join(each.name for each in features)
        raise TransferError(f"There is no feature {name!r}, only: {known}.")
    if not (record := _record(feature)):
        raise TransferError(f"{name} takes no part in dumps: app/{name}/models.py has no Record.")
    repository = storage.repository(feature)
    for method in ("dump", "load"):
        if not hasattr(repository, method):
            raise TransferError(f"{name} takes no part in dumps: its Repository has no {method}().")
    records: TypeAdapter[Any] = TypeAdapter(record)
    return DumpedFeature(name, records, repository)


def _record(feature: Feature) -> Any:
    return getattr(feature.load("models"), "Record", None) if feature.has("models") else None
