"""The variables of the process: those of ``.env`` where the environment has none.

Everything that reads ``.env`` does it here, by the parser of the settings. In a container, the
variable ``DOTENV`` holds the text of that file.
"""

import logging
import os
import stat
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from app.kit.errors import InvalidSettings

FILE = Path(".env")
TEXT = "DOTENV"
LOADED = "DOTENV_LOADED"
MAX_CHARACTERS = 1_000_000

PLUGINS = {
    "OTEL_PROPAGATORS": "opentelemetry_propagator",
    "OTEL_PYTHON_CONTEXT": "opentelemetry_context",
    "OTEL_PYTHON_TRACER_PROVIDER": "opentelemetry_tracer_provider",
    "OTEL_PYTHON_METER_PROVIDER": "opentelemetry_meter_provider",
    "OTEL_PYTHON_LOGGER_PROVIDER": "opentelemetry_logger_provider",
}
"""Variables that name plugins, and the group of entry points that these must be in."""


class _Refusal(logging.Handler):
    """Raises what the parser only warns of; the message has the line's number and no value."""

    def emit(self, record: logging.LogRecord) -> None:
        raise InvalidSettings(f".env: {record.getMessage()}")


def read_dotenv() -> dict[str, str]:
    """Return the variables of ``.env``; without that file, there are none.

    Raises ``InvalidSettings``.
    """
    text = _text()
    if "\0" in text:
        raise InvalidSettings(".env: it must be text in UTF-8")
    parser, refusal = logging.getLogger("dotenv"), _Refusal()
    parser.addHandler(refusal)
    try:
        found = dotenv_values(stream=StringIO(text))
    finally:
        parser.removeHandler(refusal)
    return {name: value for name, value in found.items() if value is not None}


def _text() -> str:
    try:
        return os.environ[TEXT] if TEXT in os.environ else _content()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InvalidSettings(f".env: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidSettings(".env: it must be text in UTF-8") from None


def _content() -> str:
    """Return the content of the file; reading another kind could wait or not end."""
    if not stat.S_ISREG(FILE.stat().st_mode):
        raise InvalidSettings(".env: it is not a regular file")
    with FILE.open(encoding="utf-8-sig") as file:
        text = file.read(MAX_CHARACTERS + 1)
    if len(text) > MAX_CHARACTERS:
        raise InvalidSettings(f".env: it is over {MAX_CHARACTERS} characters")
    return text


def load_dotenv() -> None:
    """Add the variables of ``.env`` to those of the process, or raise ``InvalidSettings``.

    If it was done before, also in a parent process, those of then are removed first.
    """
    found = read_dotenv()
    for name in os.environ.pop(LOADED, "").split():
        os.environ.pop(name, None)
    present = {name.upper() for name in os.environ}
    added = {name: value for name, value in found.items() if name.upper() not in present}
    os.environ.update(added, **{LOADED: " ".join(added)})


def add_to_dotenv(name: str, value: str) -> None:
    """Add a variable to the file, on a new line."""
    text = _text()
    with FILE.open("a", encoding="utf-8") as file:
        file.write("\n" if text and not text.endswith("\n") else "")
        file.write(f"{name}={value}\n")


def drop_missing_plugins() -> list[str]:
    """Remove variables that name plugins of OpenTelemetry which are not installed.

    Importing FastAPI fails with such a variable, so call this before. Returns the names to warn of;
    none if the SDK is off.
    """
    dropped = [name for name in PLUGINS if name in os.environ and _drop(name)]
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return [] if off else dropped


def _drop(variable: str) -> bool:
    installed = {plugin.name for plugin in entry_points(group=PLUGINS[variable])}
    named = {name.strip() for name in os.environ[variable].split(",")}
    missing = not named <= installed and os.environ[variable].strip().lower() != "none"
    if missing:
        del os.environ[variable]
    return missing
