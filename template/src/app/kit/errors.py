"""Errors in business terms; ``http/problems.py`` turns them into answers."""

from typing import ClassVar
from uuid import UUID


class ServiceError(Exception):
    """A failure whose message is for the caller; ``status`` is its default HTTP status.

    ``fields`` of what was sent are the reason; ``of`` is the id of the record that has them.
    """

    status: ClassVar[int] = 400
    fields: tuple[str, ...] = ()
    of: UUID | None = None


class NotFound(ServiceError):
    """What was asked for does not exist."""

    status = 404


class KeyReused(ServiceError):
    """The idempotency key was used for another request."""

    status = 422

    def __init__(self) -> None:
        super().__init__("The key was used for another request.")


class Conflict(ServiceError):
    """The request conflicts with the present state."""

    status = 409


class Taken(Conflict):
    """Others have the values of fields that must be unique; which ones may be unknown."""

    def __init__(self, *fields: str, of: UUID | None = None) -> None:
        super().__init__("A value that must be unique is taken.")
        self.fields, self.of = fields, of


class InvalidReference(ServiceError):
    """Fields refer to resources that do not exist."""

    status = 422

    def __init__(self, *fields: str, of: UUID | None = None) -> None:
        super().__init__("It refers to nothing that exists.")
        self.fields, self.of = fields, of


class PreconditionFailed(ServiceError):
    """The resource has changed since the caller last saw it."""

    status = 412


class Unavailable(ServiceError):
    """The database cannot answer now; the same request may succeed later.

    ``reason`` is the driver's message, for the log and never for a caller; ``kind`` labels metrics,
    with low cardinality.
    """

    status = 503

    def __init__(self, message: str, reason: str = "", *, kind: str = "outage") -> None:
        super().__init__(message)
        self.reason, self.kind = reason, kind


class InvalidSettings(Exception):
    """A setting is missing or wrong; the message names it on one line and repeats no value."""
