"""Errors in business terms; ``http/problems.py`` turns them into answers."""

from typing import ClassVar


class ServiceError(Exception):
    """A failure whose message is for the caller; ``status`` is its default HTTP status."""

    status: ClassVar[int] = 400


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


class InvalidReference(ServiceError):
    """A field refers to a resource that does not exist."""

    status = 422

    def __init__(self, field: str) -> None:
        super().__init__("It refers to nothing that exists.")
        self.field = field


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
