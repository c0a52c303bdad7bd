"""The commands of the service; more of them are functions with ``@cli.command()``, here."""

from importlib.metadata import metadata

from app import DISTRIBUTION
from app.kit.cli import cli, run
from app.kit.service import Service
from app.settings import Settings

__all__ = ["cli", "main"]


def main() -> None:
    """Run a command; a failure is one line and exit code 1."""
    about = metadata(DISTRIBUTION)  # From pyproject.toml.
    run(Service("app.main:create_app", Settings, description=about["Summary"]))
