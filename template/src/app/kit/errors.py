"""What can go wrong in business terms. None of these knows HTTP; ``http/problems.py`` maps them."""


class ServiceError(Exception):
    """A failure that the caller is told about, in the words of its message."""


class NotFound(ServiceError):
    """What was asked for does not exist."""


class KeyReused(ServiceError):
    """The key of the request belongs to another one."""

    def __init__(self) -> None:
        super().__init__("The key was used for another request.")


class Conflict(ServiceError):
    """The request does not fit the present state."""


class PreconditionFailed(ServiceError):
    """The resource has changed since the caller last saw it."""


class Unavailable(ServiceError):
    """The database cannot answer now; the same request may succeed later.

    ``reason`` is the driver's own word, for whoever runs the service and never for a caller;
    ``kind`` is a word for metrics, one of few.
    """

    def __init__(self, message: str, reason: str = "", *, kind: str = "outage") -> None:
        super().__init__(message)
        self.reason, self.kind = reason, kind


class InvalidSettings(Exception):
    """A setting is missing or wrong; the message names it on one line and repeats no value."""
