"""The settings of this service: those of the kit, and yours."""

from app.kit.settings import ServiceSettings, read_settings


class Settings(ServiceSettings):
    """Each field is a variable of the environment or a line of ``.env``; the environment wins."""


def load_settings() -> Settings:
    """Read the settings, or raise ``InvalidSettings``."""
    return read_settings(Settings)
