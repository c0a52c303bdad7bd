"""Runs a project's tools and tests, each in a fork of a process that has imported their packages.

Otherwise the imports, one to two seconds of CPU, would take as long as the rest. What the tools
render is kept for the next one that asks the same of the same template.
"""

import gc
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from traceback import format_exc
from typing import Any

import yaml

from made_once import render_once

NEEDED = (
    *("copier", "email_validator", "jinja2", "packaging.version"),
    *("pytest", "anyio.pytest_plugin", "httpx2", "fastapi", "fastapi_offline", "uvicorn", "uvloop"),
    *("prometheus_client", "pydantic_settings", "pythonjsonlogger.json", "rich.console", "typer"),
    *("sqlalchemy.ext.asyncio", "alembic.command", "alembic.autogenerate"),
    *("asyncmy", "asyncpg", "pymongo"),
)
"""Some of them are in the environments of some variants only."""


def keep_renders() -> None:
    """Have the tools in this folder, which are imported by it, render the same only once."""
    if not Path("tools/renders.py").exists():  # They are of the first layout.
        return
    tools = import_module("renders")
    render_anew = tools.render

    def render(folder: Path, text: str, **target: Any) -> None:
        answers = yaml.safe_load(text) | target.get("data", {})
        template, ref = str(answers.get("_src_path")), target["vcs_ref"]
        if not isinstance(ref, str):  # The version that the project has.
            ref = answers["_commit"]
        make = partial(render_anew, text=text, **target)
        if Path(template, ".git").exists():
            render_once("tools", template, ref, answers | {"_commit": ref}, folder, make)
        else:
            make(folder)

    vars(tools)["render"] = render


class Forks:
    """Runs commands of Python in forks of one process of an environment."""

    def __init__(self, python: Path) -> None:
        self._process = Popen([python, __file__], stdin=PIPE, stdout=PIPE, text=True)

    def run(
        self, folder: Path, command: list[str], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, or a tool, in a folder with only these variables.

        Python itself can be given code.
        """
        assert self._process.stdin
        assert self._process.stdout
        with TemporaryDirectory() as name:
            request = {"folder": str(folder), "command": command, "variables": variables}
            print(json.dumps(request | {"printed": name}), file=self._process.stdin, flush=True)
            code = int(self._process.stdout.readline())
            printed = [(Path(name) / each).read_text() for each in ("1", "2")]
        return subprocess.CompletedProcess(command, code, *printed)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def forks(python: Path) -> Iterator[Forks]:
    """Yield what runs commands with a Python, until the end."""
    runner = Forks(python)
    try:
        yield runner
    finally:
        runner.close()


def serve() -> None:
    """Run what is asked for on the standard input, one after another."""
    for name in NEEDED:
        with suppress(ImportError):
            import_module(name)
    gc.freeze()  # To look through all that for garbage would copy its memory.
    for line in sys.stdin:
        child = os.fork()
        if not child:
            end(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def end(**request: Any) -> None:
    """End this process as a Python that does what is asked for, without freeing its memory."""
    code: Any = None
    try:
        execute(**request)
    except SystemExit as end:
        code = end.code
    except BaseException:
        code = format_exc()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else bool(code))


def execute(folder: str, command: list[str], variables: dict[str, str], printed: str) -> None:
    """Do in this process what a program does, or code that Python is given."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        os.dup2(os.open(f"{printed}/{number}", os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    renders = os.environ["TEST_RENDERS"]
    os.environ.clear()
    os.environ.update(variables)
    sys.path[1:1] = filter(None, variables.get("PYTHONPATH", "").split(os.pathsep))
    program = Path(folder, command[0])
    sys.argv, sys.path[0] = command, str(program.parent)
    if program.name == "python":
        _, _, code, *sys.argv[1:] = command
        sys.path[0] = ""
        exec(code, {"__name__": "__main__"})
        return
    if program.parent.name == "tools":
        os.environ["TEST_RENDERS"] = renders
        keep_renders()
    runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    serve()
