"""The errors of this service, besides those of ``app.kit.errors``.

For example::

    class OutOfStock(ServiceError):
        status = 409  # By default; in a subclass of NotFound, it is 404.

Raise it anywhere: the caller gets this status, and the message as ``detail``.
"""
