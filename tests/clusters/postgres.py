"""PostgreSQL servers that lead or follow."""

import shutil
import time

from clusters.proxies import HAProxy
from conftest import ROOT
from servers import Postgres

DOCS = (ROOT / "docs/clusters.md").read_text()
CHECK = DOCS[
    DOCS.index("    option tcp-check  # user") : DOCS.index("    default-server check inter")
]


class Node(Postgres):
    """A primary, or a standby of another server, its ``leader``."""

    name = "PostgreSQL node"
    variable = ""
    ready = "ready to accept"  # perhaps only reads

    def __init__(self, leader: Postgres | None = None) -> None:
        self.leader = leader

    def prepare(self) -> None:
        if not self.leader:
            return super().prepare()
        tool = str((self.binaries / self.binary).with_name("pg_basebackup"))
        options = ("--checkpoint=fast", "--write-recovery-conf", "--no-sync")
        self._spawn(tool, f"--dbname={self.leader.url}", f"--pgdata={self.data}", *options)
        self._finish()

    def follow(self, leader: Postgres) -> None:
        """Serve as a standby of another server, from a new copy of its data."""
        self.stop()
        for path in self.data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.leader = leader
        self.prepare()
        self.start()

    def configure(self, **settings: str) -> None:
        """Change settings of the running server, which its copies inherit; they count on return.

        A new session has them once all processes have the signal to read them. The one that has
        commits wait for standbys, the checkpointer, reads them before its next checkpoint.
        """
        for name, value in settings.items():
            self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")
        while any(self.sql(f"SHOW {name}") != value for name, value in settings.items()):
            time.sleep(0.01)
        self.sql("CHECKPOINT")

    def promote(self) -> None:
        """Make a standby a primary that waits for no standby, and return once it can write."""
        self.sql("SELECT pg_promote()")
        self.configure(synchronous_standby_names="")


class PrimaryProxy(HAProxy):
    """Leads to the primary by the check of the documentation, whose user is ``haproxy``."""

    check = CHECK
