"""Commands of the service with the probe."""

import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from app.kit.cli import run
from tests.kit.probe.service import SERVICE


def app(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty folder, with nothing in its environment but ``variables``.

    It runs in this process, which spares the half of a second that it takes to begin.
    """
    out, err, code = StringIO(), StringIO(), 0
    with (
        TemporaryDirectory() as folder,
        chdir(folder),
        patch.dict(os.environ, environment(**variables), clear=True),
        patch.object(sys, "argv", ["app", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            run(SERVICE)
        except SystemExit as end:  # As Python does at its end: a text is for stderr, and is a 1.
            code = int(bool(end.code))
            if isinstance(end.code, str):
                print(end.code, file=err)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a command, with nothing of this one but its paths."""
    root = str(Path(__file__).parents[2])
    paths = [root, os.environ.get("PYTHONPATH", "")]  # Of a service that is not installed.
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    } | variables


def check_line(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """See that a command failed with one line that has these words."""
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1), run.stderr
    assert all(word in run.stderr for word in words), run.stderr
