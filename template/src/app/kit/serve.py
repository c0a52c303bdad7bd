"""The command that runs the service."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.kit import auth, environment
from app.kit.logs import configure_logs
from app.kit.service import on_storage, read_settings

log = logging.getLogger(__name__)


def serve(
    context: typer.Context,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1,
    reload: Annotated[bool, typer.Option("--reload", help="Start again on changes.")] = False,
) -> None:
    """Run the service on HOST:PORT."""
    settings = read_settings(context)
    ignored = environment.drop_missing_plugins()
    # Imported here, so that other commands start 0.3 s faster.
    from app.kit.http.listening import listen
    from app.kit.http.server import run

    # Opening the storage finds mistakes in the URL, and sends nothing.
    on_storage(settings, lambda storage: asyncio.sleep(0))
    auth.check(settings)
    configure_logs(settings.log_level, settings.log_format)
    for name in ignored:
        log.warning("%s names a plugin that is not installed; the default is used.", name)
    listeners = listen(settings.host, settings.port)
    # uvicorn stops on SIGTERM and then raises it again, to exit with 143; we exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with _folder_for_metrics() if workers > 1 and not reload else nullcontext():
        run(listeners, context.obj.create_app, workers, reload, settings.keep_alive)


@contextmanager
def _folder_for_metrics() -> Iterator[None]:
    """Make a folder for the workers' metrics, in memory where that is possible."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="app-metrics-", dir=memory) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield
