"""The settings that every service has."""

import re
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from app.kit.auth import AuthSettings
from app.kit.environment import FILE, read_dotenv
from app.kit.errors import InvalidSettings
from app.kit.logs import LogFormat

ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[a-z0-9.:_\[\]-]+")

PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*/?")  # Clients would resolve /. and /..


def _words(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _origin(text: str) -> str:
    if not ORIGIN.fullmatch(text):
        raise PydanticCustomError("origin", "Origins look like https://app.example.com, or are *")
    return text


def _prefix(text: str) -> str:
    if not PREFIX.fullmatch(text):
        raise PydanticCustomError("prefix", "A prefix looks like /api or /team/api")
    return text.rstrip("/")


Origins = Annotated[
    frozenset[Annotated[str, AfterValidator(_origin)]], NoDecode, BeforeValidator(_words)
]


class ServiceSettings(AuthSettings):
    """The kit's settings, from environment variables or ``.env``; the environment wins."""

    model_config = SettingsConfigDict(
        env_file=FILE, env_file_encoding="utf-8-sig", extra="ignore", frozen=True
    )

    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1, le=1000)
    startup_timeout: float = Field(default=10, ge=0, le=3600)
    read_only: bool = False
    max_concurrent_requests: int = Field(default=200, ge=1)
    port: int = Field(default=3000, ge=1, le=65535)
    keep_alive: int = Field(default=75, ge=1, le=3600)
    root_path: Annotated[str, AfterValidator(_prefix)] = ""
    cors_origins: Origins = frozenset()
    cors_credentials: bool = False
    hsts_seconds: int = Field(default=0, ge=0)
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)
    ] = "INFO"
    log_format: LogFormat = "auto"
    metrics: bool = True

    @field_validator("cors_credentials")
    @classmethod
    def _no_credentials_for_all(cls, credentials: bool, info: ValidationInfo) -> bool:
        if credentials and "*" in info.data.get("cors_origins", ()):
            raise PydanticCustomError("cors", "Name the origins in CORS_ORIGINS instead of *")
        return credentials


S = TypeVar("S", bound=ServiceSettings)


def read_settings(kind: type[S]) -> S:
    """Read the settings, or raise ``InvalidSettings``."""
    read_dotenv()  # Raises if the file is malformed.
    try:
        return kind()
    except ValidationError as error:
        raise InvalidSettings("; ".join(map(_problem, error.errors()))) from None
    except Exception as error:  # Its text may hold a value.
        name = type(error).__name__
        raise InvalidSettings(f"The settings cannot be read ({name})") from None


def _problem(error: ErrorDetails) -> str:
    name = str(error["loc"][0]).upper() if error["loc"] else "The settings"
    return f"{name}: {' '.join(error['msg'].split())}"
