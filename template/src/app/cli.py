"""The service's commands."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app import auth
from app.errors import ServiceError, Unavailable
from app.features import FEATURES
from app.logs import configure_logs
from app.settings import InvalidSettings, Settings, load_settings
from app.startup import patiently
from app.storage import Storage, open_storage
from app.transfer import work
from app.transfer.feature import find
from app.transfer.files import reading, regular_size, writing
from app.transfer.progress import shown

DOTENV = Path(".env")
SHUTDOWN_SECONDS = 7
WORKER_START_SECONDS = 9

FeatureName = Annotated[str, typer.Option("--feature", help="The feature that it is about.")]

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Notes over HTTP.", rich_markup_mode=None
)


def _on_storage(work: Callable[[Storage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_storage(load_settings()) as storage:
            await work(storage)

    asyncio.run(run())


@cli.command()
def serve(
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1,
    reload: Annotated[bool, typer.Option("--reload", help="Start again on changes.")] = False,
) -> None:
    """Run the service on HOST:PORT."""
    # Here, as in openapi(), to spare the other commands a third of a second.
    import uvicorn

    from app.http.workers import run as run_workers

    settings = load_settings()
    _on_storage(lambda storage: asyncio.sleep(0))  # Finds mistakes in the URL; sends nothing.
    auth.check(settings)
    _must_be_free(settings.host, settings.port)
    configure_logs(settings.log_level, settings.log_format)
    # The server stops on SIGTERM and then raises it once more, to end with 143; we end with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    several = workers > 1 and not reload
    run = run_workers if several else uvicorn.run
    with _folder_for_metrics() if several else nullcontext():
        run(
            app="app.main:create_app",
            factory=True,
            http="app.http.protocol:BoundedProtocol",
            host=settings.host,
            port=settings.port,
            workers=workers,
            reload=reload,
            access_log=False,
            log_config=None,
            env_file=DOTENV if DOTENV.exists() else None,  # OTEL_* may be in it, too.
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_worker_healthcheck=WORKER_START_SECONDS,
        )


@contextmanager
def _folder_for_metrics() -> Iterator[None]:
    """Make a folder, in memory where that is known, in which each worker keeps its metrics."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="app-metrics-", dir=memory) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def _must_be_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        message = f"HOST, PORT: cannot listen on {host}:{port}: {error.strerror}"
        raise InvalidSettings(message) from None


@cli.command()
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only tell; exit 1 if it is not.")] = False,
) -> None:
    """Bring the schema to the newest revision, as soon as the database answers."""
    seconds = load_settings().startup_timeout

    async def work(storage: Storage) -> None:
        await (storage.check() if check else patiently(storage.migrate, seconds, typer.echo))

    _on_storage(work)


@cli.command()
def seed() -> None:
    """Load the seeds; what is there already stays as it is."""

    async def load(storage: Storage) -> None:
        for feature in FEATURES:
            if find_spec(f"app.{feature}.seeds"):
                seeds = import_module(f"app.{feature}.seeds")
                added = await seeds.seed(storage.repository(feature))
                typer.echo(f"{feature}: {added} added")

    _on_storage(load)


for command in auth.COMMANDS:
    cli.command()(command)


@cli.command()
def dump(
    file: Annotated[Path | None, typer.Argument(help="Where to, by default stdout.")] = None,
    feature: FeatureName = "notes",
) -> None:
    """Write all notes as NDJSON, the same text whatever the database."""
    _end_on_signals()

    async def run(storage: Storage) -> None:
        chosen = find(feature, storage)
        await storage.check()
        with writing(file) as target, shown(feature) as tell:
            dumped = await work.dump(chosen, target, tell)
        typer.echo(f"{feature}: {dumped} dumped", err=True)

    _on_storage(run)


@cli.command()
def load(
    file: Annotated[Path | None, typer.Argument(help="Where from, by default stdin.")] = None,
    feature: FeatureName = "notes",
) -> None:
    """Store the notes of a dump, each in the place of the one of its id; others stay."""
    _end_on_signals()

    async def run(storage: Storage) -> None:
        chosen = find(feature, storage)
        await storage.check()
        with reading(file) as source:
            size = regular_size(source)
            if size is not None:
                begin = source.tell()
                with shown(f"{feature}, checking", size) as tell:
                    work.check(chosen, source, tell)
                source.seek(begin)
            with shown(feature, size) as tell:
                loaded = await work.load(chosen, source, tell)
        typer.echo(f"{feature}: {loaded} loaded", err=True)

    _on_storage(run)


def _end_on_signals() -> None:
    """Have Ctrl-C and SIGTERM end what waits for a pipe, too, and leave no unfinished file."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from app.main import create_app

    settings = Settings.model_construct()  # The defaults: the document depends on no setting.
    typer.echo(json.dumps(create_app(settings).openapi(), indent=2))


def main() -> None:
    """Run a command; a failure is one line and exit code 1."""
    try:
        sys.exit(cli(standalone_mode=False))
    except typer.Abort:
        sys.exit(130)
    except Unavailable as error:
        sys.exit(f"Error: {error} {error.reason}".rstrip())
    except (typer.TyperException, InvalidSettings, ServiceError) as error:
        sys.exit(f"Error: {error}")
