"""Everything the environment decides."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.logs import LogFormat


class Settings(BaseSettings):
    """Settings from environment variables or ``.env``; the environment wins."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1, le=1000)
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=1, le=65535)
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)
    ] = "INFO"
    log_format: LogFormat = "auto"


class InvalidSettings(Exception):
    """A setting is missing or wrong; the message names it on one line and repeats no value."""


def load_settings() -> Settings:
    """Read the settings, or raise ``InvalidSettings``."""
    try:
        return Settings()
    except ValidationError as error:
        problems = (f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise InvalidSettings("; ".join(problems)) from None
