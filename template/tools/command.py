"""Runs a command of these tools, so that any failure or interruption is one line."""

import os
import signal
import sys
from importlib import import_module

from console import error_line
from repository import leave_other_repositories

INTERRUPTED = 130  # The exit code that shells give it.


def execute(module: str) -> None:
    """Run ``main`` of a module, which returns whether all is done; exit with 0, or else 1."""
    leave_other_repositories()
    signal.signal(signal.SIGINT, _stop)  # To import Copier takes half a second.
    main = import_module(module).main
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(0 if main() else 1)
    except KeyboardInterrupt as interruption:
        print(error_line(interruption), file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:
        sys.exit(error_line(error))


def _stop(*_: object) -> None:
    """End at once: an exception could be lost in the middle of an import."""
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)
