"""The commands that every service has."""

import json
import sys
from pkgutil import resolve_name
from typing import Annotated

import typer

from app.kit import auth, environment
from app.kit.dump import commands as dumps
from app.kit.errors import InvalidSettings, ServiceError, Unavailable
from app.kit.serve import serve
from app.kit.service import Service, on_storage, read_settings
from app.kit.startup import retry_until_available
from app.kit.storage import Storage

cli = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

cli.command()(serve)


@cli.command()
def migrate(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if it is not the newest.")
    ] = False,
) -> None:
    """Bring the schema to the newest revision, as soon as the database answers."""
    settings = read_settings(context)
    seconds = settings.startup_timeout

    async def work(storage: Storage) -> None:
        await (
            storage.check()
            if check
            else retry_until_available(storage.migrate, seconds, typer.echo)
        )

    on_storage(settings, work)


@cli.command()
def seed(context: typer.Context) -> None:
    """Load the seeds; those that exist already stay unchanged."""

    async def load(storage: Storage) -> None:
        for feature in context.obj.features:
            if feature.has("seeds"):
                added = await feature.load("seeds").seed(storage.repository(feature))
                typer.echo(f"{feature.name}: {added} added")

    on_storage(read_settings(context), load)


for command in (*auth.COMMANDS, *dumps.COMMANDS):
    cli.command()(command)


@cli.command()
def openapi(context: typer.Context) -> None:
    """Print the OpenAPI document."""
    service: Service = context.obj
    environment.drop_missing_plugins()
    create_app = resolve_name(service.create_app)
    settings = service.settings.model_construct()  # The document depends on no setting.
    typer.echo(json.dumps(create_app(settings).openapi(), indent=2))


def run(service: Service) -> None:
    """Run a command; a failure is one line and exit code 1."""
    cli.callback(help=service.description)(lambda: None)
    try:
        sys.exit(cli(obj=service, standalone_mode=False))
    except typer.Abort:
        sys.exit(130)
    except Unavailable as error:
        sys.exit(_line(f"{error} {error.reason}"))
    except typer.TyperException as error:
        sys.exit(_line(error.format_message()))  # It names the option.
    except (InvalidSettings, ServiceError) as error:
        sys.exit(_line(str(error)))


def _line(message: str) -> str:
    """Return a message as one line, since it may repeat what the user has typed."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message.strip())
    return f"Error: {text}"
