"""The URL of SQLite, which names a file. The path is not percent-decoded."""

import re

from app.kit.storage.urls import only_known, wrong

FORM = "name a file, as in sqlite:///app.db or sqlite:////data/app.db"
STRANGE = re.compile("[\0-\x1f\x7f\ud800-\udfff]")

# The service has its own timeouts, threads and transactions.
DROPPED = (
    *("autocommit", "cached_statements", "check_same_thread"),
    *("detect_types", "isolation_level", "timeout"),
)


def parse(url: str) -> str:
    """Return the path of the file, or raise ``InvalidSettings``."""
    path, _, query = url.partition("://")[2].partition("?")
    if not path.startswith("/") or path in ("/", "/:memory:") or path.startswith("/file:"):
        raise wrong(FORM)
    if STRANGE.search(url):
        raise wrong("it contains a character that cannot be printed")
    only_known([option.partition("=")[0] for option in query.split("&") if option], DROPPED)
    return path.removeprefix("/")
