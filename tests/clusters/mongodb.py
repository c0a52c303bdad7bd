"""A replica set of MongoDB, with a key file and users."""

import shutil
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from servers import PATIENCE, MongoDB, Server, as_nobody

KEY = b64encode(bytes(range(96))).decode()
ELECTIONS = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500}
USER = "app:app@"

Document = dict[str, Any]


class Member(MongoDB):
    """A member of a replica set; it lets in users only."""

    name = "MongoDB member"
    variable = ""
    options = f"""
        {MongoDB.options} --keyFile={{self.data}}/key
        --setParameter=shutdownTimeoutMillisForSignaledShutdown=1000
    """

    def prepare(self) -> None:
        key = self.data / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        if user := as_nobody():
            shutil.chown(key, user["user"], user["group"])

    def start(self) -> None:
        Server.start(self)

    def is_primary(self) -> bool:
        """Return whether the member takes writes."""
        with suppress(PyMongoError), self.admin() as admin:
            return bool(admin.command("hello")["isWritablePrimary"])
        return False

    def step_down(self) -> None:
        """Let another member become the primary."""
        with self.admin(USER) as admin:
            admin.command("replSetStepDown", 10)

    @contextmanager
    def admin(self, user: str = "") -> Iterator[Database[Document]]:
        """Connect to this member alone."""
        options = "directConnection=true&timeoutMS=1000"
        url = f"mongodb://{user}127.0.0.1:{self.port}/?{options}"
        with MongoClient[Document](url) as client:
            yield client.admin


def form(*members: Member) -> None:
    """Make members that run a replica set with the user ``app``."""
    hosts = [{"_id": i, "host": f"127.0.0.1:{m.port}"} for i, m in enumerate(members)]
    with members[0].admin() as admin:
        admin.command("replSetInitiate", {"_id": "rs0", "members": hosts, "settings": ELECTIONS})
    with find_primary(*members).admin() as admin:
        admin.command("createUser", "app", pwd="app", roles=["root"])


def find_primary(*members: Member) -> Member:
    """Return the member that takes writes, once there is one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for member in members:
            if member.is_primary():
                return member
        time.sleep(0.05)
    raise TimeoutError("There is no primary.")


def url(*members: Member) -> str:
    """Return the URL of the database ``app``."""
    hosts = ",".join(f"127.0.0.1:{member.port}" for member in members)
    return f"mongodb://{USER}{hosts}/app?authSource=admin&replicaSet=rs0"
