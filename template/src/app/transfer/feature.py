"""What takes part in dumps."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from pydantic import TypeAdapter

from app.errors import ServiceError
from app.features import FEATURES
from app.storage import Storage


class TransferError(ServiceError):
    """Why something cannot be dumped or loaded."""


class Repository(Protocol):
    """What a feature's repository must have for the feature to take part."""

    def dump(self) -> AsyncGenerator[Sequence[Any], None]:
        """Yield all records, ascending by ``id`` and some at a time, as they were at one moment."""
        ...

    async def load(self, records: Sequence[Any]) -> None:
        """Store records, each in the place of the one of its ``id``, if there is one."""
        ...


@dataclass(frozen=True)
class Format:
    """What the lines of a feature's dump are: JSON of its ``Record``, which has an ``id``."""

    name: str
    records: TypeAdapter[Any]


@dataclass(frozen=True)
class Feature(Format):
    """A feature that takes part."""

    repository: Repository


def find(name: str, storage: Storage) -> Feature:
    """Return the feature of this name, or raise ``TransferError`` that says what it lacks."""
    if name not in FEATURES:
        raise TransferError(f"There is no feature {name!r}, only: {', '.join(FEATURES)}.")
    if not find_spec(f"app.{name}.records"):
        raise TransferError(f"{name} takes no part in dumps: it has no app/{name}/records.py.")
    repository = storage.repository(name)
    for method in ("dump", "load"):
        if not hasattr(repository, method):
            raise TransferError(f"{name} takes no part in dumps: its Repository has no {method}().")
    module: Any = import_module(f"app.{name}.records")
    return Feature(name, TypeAdapter(module.Record), repository)
