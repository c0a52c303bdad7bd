"""The commands that every service has."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.kit import auth, environment
from app.kit.dump import work
from app.kit.dump.changes import Deletions, Earlier
from app.kit.dump.feature import choose
from app.kit.dump.files import STREAM, reading, regular_size, writing
from app.kit.dump.lines import first_feature
from app.kit.dump.progress import progress_bar
from app.kit.errors import InvalidSettings, ServiceError, Unavailable
from app.kit.features import FEATURES, Feature
from app.kit.logs import configure_logs
from app.kit.settings import ServiceSettings, read_settings
from app.kit.startup import retry_until_available
from app.kit.storage import Storage, open_storage

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 7
WORKER_START_SECONDS = 9

FeatureName = Annotated[
    str | None, typer.Option("--feature", help="Only this feature; by default all.")
]

cli = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Service:
    """What the commands work on: the application's factory, its settings and features."""

    create_app: str
    """As in ``app.main:create_app``."""
    settings: type[ServiceSettings]
    features: Sequence[Feature] = FEATURES
    description: str = ""
    """What ``--help`` begins with."""


def _on_storage(settings: ServiceSettings, work: Callable[[Storage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_storage(settings) as storage:
            await work(storage)

    asyncio.run(run())


def _settings(context: typer.Context) -> ServiceSettings:
    service: Service = context.obj
    environment.load_dotenv()
    return read_settings(service.settings)


@cli.command()
def serve(
    context: typer.Context,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1,
    reload: Annotated[bool, typer.Option("--reload", help="Start again on changes.")] = False,
) -> None:
    """Run the service on HOST:PORT."""
    settings = _settings(context)
    ignored = environment.drop_missing_plugins()
    # Imported here and in openapi() only, so that other commands start 0.3 s faster.
    from app.kit.http import server

    _on_storage(
        settings, lambda storage: asyncio.sleep(0)
    )  # Finds mistakes in the URL; sends nothing.
    auth.check(settings)
    configure_logs(settings.log_level, settings.log_format)
    for name in ignored:
        log.warning("%s names a plugin that is not installed; the default is used.", name)
    listeners = server.listen(settings.host, settings.port)
    # uvicorn stops on SIGTERM and then raises it again, to exit with 143; we exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with _folder_for_metrics() if workers > 1 and not reload else nullcontext():
        server.run(
            listeners,
            app=context.obj.create_app,
            factory=True,
            http="app.kit.http.protocol:BoundedProtocol",
            loop="app.kit.http.server:EventLoop",
            workers=workers,
            reload=reload,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_worker_healthcheck=WORKER_START_SECONDS,
        )


@contextmanager
def _folder_for_metrics() -> Iterator[None]:
    """Make a folder for the workers' metrics, in memory where that is possible."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="app-metrics-", dir=memory) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


@cli.command()
def migrate(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if it is not the newest.")
    ] = False,
) -> None:
    """Bring the schema to the newest revision, as soon as the database answers."""
    settings = _settings(context)
    seconds = settings.startup_timeout

    async def work(storage: Storage) -> None:
        await (
            storage.check()
            if check
            else retry_until_available(storage.migrate, seconds, typer.echo)
        )

    _on_storage(settings, work)


@cli.command()
def seed(context: typer.Context) -> None:
    """Load the seeds; those that exist already stay unchanged."""

    async def load(storage: Storage) -> None:
        for feature in context.obj.features:
            if feature.has("seeds"):
                added = await feature.load("seeds").seed(storage.repository(feature))
                typer.echo(f"{feature.name}: {added} added")

    _on_storage(_settings(context), load)


for command in auth.COMMANDS:
    cli.command()(command)


@cli.command()
def dump(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; - is stdout.")] = STREAM,
    feature: FeatureName = None,
    since: Annotated[
        Path | None, typer.Option(help="An earlier dump: write only what has changed since.")
    ] = None,
) -> None:
    """Write a snapshot of all records as NDJSON, the same text on every database."""
    _end_on_signals()

    async def run(storage: Storage) -> None:
        chosen = choose(feature, context.obj.features, storage)
        await storage.check()
        with (
            reading(since) if since else nullcontext() as old,
            writing(file) as target,
            progress_bar("Dumping") as progress,
        ):
            async with storage.one_snapshot():
                dumped = await work.dump(chosen, target, progress, Earlier(old) if old else None)
        _report(dumped, "dumped")

    _on_storage(_settings(context), run)


@cli.command()
def load(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where from; - is stdin.")] = STREAM,
    feature: FeatureName = None,
) -> None:
    """Store what is in a dump; a record with the same id is replaced, others stay."""
    _end_on_signals()

    async def run(storage: Storage) -> None:
        chosen = choose(feature, context.obj.features, storage)
        await storage.check()
        with reading(file) as source:
            size, first, gone = regular_size(source), None, Deletions()
            if size is not None:
                begin = source.tell()
                first = first_feature(source)
                source.seek(begin)
                with progress_bar("Checking", size) as progress:
                    gone = work.check(chosen, source, progress, first)
                source.seek(begin)
            with progress_bar("Loading", size) as progress:
                loaded = await work.load_and_delete(chosen, source, progress, first, gone)
        _report(loaded, "loaded")

    _on_storage(_settings(context), run)


def _report(counts: work.Counts, done: str) -> None:
    for name, count in counts.items():
        typer.echo(f"{name}: {count} {done}", err=True)


def _end_on_signals() -> None:
    """Have Ctrl-C and SIGTERM also interrupt a wait for a pipe, and leave no unfinished file."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


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
