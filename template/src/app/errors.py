"""The errors of this service's own, besides those of ``app.kit.errors``."""
