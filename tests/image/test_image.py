"""The image of the default service, built from its Dockerfile and run as in production.

`make test-image` runs it, as root on Debian. Neither a container engine nor a registry of images is
at hand everywhere. So Debian's buildah builds the image, a Debian with its own Python stands for
the base image, under its name, and util-linux's unshare runs what was built.
"""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

from binaries import cached, run
from servers import free_port

ROOT = Path(__file__).parents[2]
MAX_MEGABYTES = 110
"""What the image may add to its base."""

# A container's view: processes of its own, all read-only but a volume and /tmp, no other variables.
ENTER = """
mount --bind "$root" "$root"
mount --options remount,bind,ro "$root"
mount --bind "$data" "$root/data"
mount --types proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --types tmpfs tmpfs "$root/tmp"
exec env --ignore-environment /usr/sbin/chroot --userspec="$user:$user" "$root" "$@"
"""


@dataclass(frozen=True)
class Image:
    """What was built: its root file system, and how it says that it is run."""

    root: Path
    config: dict[str, Any]

    def start(self, data: Path, *command: str, **settings: str) -> subprocess.Popen[str]:
        """Run a command as a container does, with a folder as its volume."""
        given = {"root": str(self.root), "data": str(data), "user": self.config["User"]}
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in settings.items())]
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh"]
        inside = ["env", f"--chdir={self.config['WorkingDir']}", *variables, *command]
        pipe = subprocess.PIPE
        return subprocess.Popen([*alone, *inside], env=given, stdout=pipe, stderr=pipe, text=True)

    def run(self, data: Path, *command: str, **settings: str) -> str:
        """Return what a command prints that succeeds."""
        process = self.start(data, *command, **settings)
        printed, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
        return printed


@pytest.fixture(scope="session")
def project() -> Iterator[Path]:
    """A generated project, with a secret of its owner's in it."""
    with TemporaryDirectory() as folder:
        answers = ("--defaults", "--data", "project_name=Team Notes", "--vcs-ref", "HEAD")
        run("copier", "copy", "--quiet", *answers, ROOT, folder)
        run("uv", "lock", "--quiet", cwd=Path(folder))
        Path(folder, ".env").write_text("DATABASE_URL=s3cret\n")
        yield Path(folder)


@pytest.fixture(scope="session")
def image(project: Path) -> Iterator[Image]:
    """The image, built once."""
    dockerfile = (project / "Dockerfile").read_text()
    (base,) = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))
    with TemporaryDirectory(dir="/var/tmp") as folder:
        where = (f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=vfs")
        import_base(where, f"docker.io/library/{base}")
        how = ("--isolation=chroot", "--pull-never", "--format=docker", "--quiet")
        certificates = "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"
        run("buildah", *where, "build", *how, certificates, "--tag=built", project)
        described = json.loads(run("buildah", *where, "inspect", "--type=image", "built"))
        container = run("buildah", *where, "from", "--pull-never", "built").strip()
        root = Path(run("buildah", *where, "mount", container).strip())
        yield Image(root, described["Docker"]["config"])


def import_base(where: tuple[str, ...], name: str) -> None:
    """Put Debian with Python where the base image would be pulled to."""
    container = run("buildah", *where, "from", "scratch").strip()
    archive = cached("image-base", make_base) / "root.tar"
    run("buildah", *where, "add", "--quiet", container, archive, "/")
    run("buildah", *where, "commit", "--quiet", "--rm", container, name)


def make_base(folder: Path) -> None:
    """Make the root file system of a Debian with Python, where pip may install as in the image."""
    packages = "ca-certificates,python-is-python3,python3,python3-pip"
    pip = 'rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED'
    how = ("--quiet", "--variant=minbase", f"--include={packages}", f"--customize-hook={pip}")
    run("mmdebstrap", *how, "bookworm", folder / "root.tar")


@pytest.fixture
def volume(image: Image) -> Iterator[Path]:
    """A folder of the user that the service runs as."""
    with TemporaryDirectory() as folder:
        run("chown", image.config["User"], folder)
        yield Path(folder)


@contextmanager
def serving(
    image: Image, volume: Path, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """Run the service until the end, and yield its process and a client."""
    process = image.start(volume, *image.config["Entrypoint"], *image.config["Cmd"], **settings)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{settings['PORT']}") as client:
            for _ in range(300):
                assert process.poll() is None, process.communicate()
                try:
                    client.get("/health/live")
                    break
                except httpx2.TransportError:
                    time.sleep(0.1)
            yield process, client
    finally:
        process.kill()
        process.communicate()


def test_it_serves_from_a_read_only_root_and_ends_on_sigterm(image: Image, volume: Path) -> None:
    settings = {
        "DATABASE_URL": "sqlite:////data/app.db",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    image.run(volume, "app", "migrate", **settings)

    with serving(image, volume, **settings) as (process, client):
        assert client.get("/health/ready").status_code == 200
        note = client.post("/notes", json={"content": "Water the plants"}).headers["Location"]
        assert client.get(note).status_code == 200
        how, *healthy = image.config["Healthcheck"]["Test"]
        assert how == "CMD"  # No shell.
        image.run(volume, *healthy, **settings)
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        subprocess.run(["kill", f"-{signal.SIGTERM:d}", first], check=True)
        assert process.wait(timeout=10) == 0


def test_the_health_check_fails_where_nothing_serves(image: Image, volume: Path) -> None:
    _, *healthy = image.config["Healthcheck"]["Test"]

    process = image.start(volume, *healthy, PORT=str(free_port()))
    _, complaint = process.communicate(timeout=10)

    assert process.returncode == 1
    assert "ConnectionRefusedError" in complaint


def test_it_needs_no_place_to_write(image: Image, volume: Path) -> None:
    assert json.loads(image.run(volume, "app", "openapi"))["info"]["title"] == "Team Notes"
    assert list(volume.iterdir()) == []


def test_its_user_can_change_nothing_in_it(image: Image) -> None:
    assert image.config["User"] == "999"
    writable = ["-user", "999", "-o", "-group", "999", "-o", "-perm", "/o+w"]
    found = run("find", image.root, "(", *writable, ")", "-not", "-type", "l").split()

    names = {f"/{Path(name).relative_to(image.root)}" for name in found}
    assert {name for name in names if not name.startswith("/dev")} == {
        "/data", "/run/lock", "/tmp", "/var/tmp"
    }  # fmt: skip


def test_it_has_the_code_and_no_more(image: Image) -> None:
    names = [path.name for path in image.root.rglob("*")]

    assert "routes.py" in names
    assert not {".env", "Dockerfile", "conftest.py", "copier", "pytest", "uv"} & set(names)
    assert "s3cret" not in json.dumps(image.config)


def test_its_packages_can_be_listed(image: Image, project: Path, volume: Path) -> None:
    """Which is what tools that write a bill of materials (SBOM) go by."""
    script = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"
    listed = {normal(line) for line in image.run(volume, "python", "-c", script).splitlines()}
    exported = run("uv", "export", "--quiet", "--no-dev", "--no-hashes", cwd=project)
    locked = {normal(line) for line in re.findall(r"^\S+==\S+", exported, re.MULTILINE)}

    assert "team-notes-service 0.1.0" in listed
    assert len(listed) > 20
    assert listed - locked == {"team-notes-service 0.1.0"}


def normal(package: str) -> str:
    name, version = re.split("==| ", package)
    return f"{re.sub('[-_.]+', '-', name).lower()} {version}"


def test_it_is_small(image: Image) -> None:
    kilobytes = run("du", "--summarize", "--block-size=1K", image.root / "opt/app").split()[0]

    assert int(kilobytes) / 1024 < MAX_MEGABYTES
