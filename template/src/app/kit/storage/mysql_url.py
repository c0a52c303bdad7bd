"""The URL of MySQL or MariaDB: the options of its clients and drivers, translated for asyncmy.

In their names, upper and lower case are the same, and so are ``-`` and ``_``.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from app.kit.storage import tls, urls
from app.kit.storage.urls import one_of, wrong

MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
FILES = {"ssl-ca": "ca", "ssl-capath": "capath", "ssl-cert": "cert", "ssl-key": "key"}
FLAGS = {  # Of drivers without ssl-mode, the strictest first.
    "ssl-verify-identity": "VERIFY_IDENTITY",
    "ssl-check-hostname": "VERIFY_IDENTITY",
    "ssl-verify-cert": "VERIFY_CA",
    "ssl": "REQUIRED",
}
TRANSLATED = (
    *("ssl-mode", "sslmode", "ssl-disabled", *FLAGS, *FILES, "ssl-key-password"),
    *("unix-socket", "socket"),
)
DROPPED = (
    # The service has its own time limits and transactions, and uses utf8mb4.
    *("connect-timeout", "read-timeout", "write-timeout", "autocommit", "use-unicode"),
    # They have no effect here.
    *("binary-prefix", "compress", "get-server-public-key", "max-allowed-packet", "program-name"),
)
VALUES = {"charset": ("utf8mb4", "utf8mb3", "utf8"), "local-infile": ("0", "false")}
"""Dropped with these values; others ask for what the service does not do, and are refused."""

TRUE = ("1", "true", "on", "yes")
FALSE = ("0", "false", "off", "no", "")


def parse(url: str) -> dict[str, Any]:
    """Return the arguments for asyncmy, or raise ``InvalidSettings``."""
    address = urls.parse(url, lambda name: name.replace("_", "-").lower())
    options = address.options
    urls.only_known(options, (*TRANSLATED, *DROPPED, *VALUES))
    for name, values in VALUES.items():
        one_of(options, name, values, values[0])
    if not address.database:
        raise wrong("name a database, as in mysql://user@host/app")
    socket = options.get("unix-socket") or options.get("socket")
    if socket and len(address.hosts) > 1:
        raise wrong("a socket is on this machine; name no hosts with it")
    arguments = {
        "hosts": [(host or "localhost", port or 3306) for host, port in address.hosts or [("", 0)]],
        "user": address.user,
        "password": address.password.encode(),  # asyncmy would encode a text as Latin-1.
        "database": address.database,
        "unix_socket": socket,
        "ssl": _tls(options),
    }
    return {name: value for name, value in arguments.items() if value}


def _tls(options: Mapping[str, str]) -> ssl.SSLContext | None:
    files = {kind: (name, options[name]) for name, kind in FILES.items() if options.get(name)}
    given = {n: options[n].upper() for n in ("sslmode", "ssl-mode") if options.get(n)}
    mode = _mode(options, files)  # Which checks the other options, also if these two count.
    for name in given:
        mode = one_of(given, name, MODES, "")
    if mode == "DISABLED":
        if files:
            raise wrong(f"{', '.join(n for n, _ in files.values())}: needs TLS, as ssl-mode says")
        return None
    verify = mode in ("VERIFY_CA", "VERIFY_IDENTITY")
    password = options.get("ssl-key-password", "")
    return tls.context(files, verify=verify, hostname=mode == "VERIFY_IDENTITY", password=password)


def _mode(options: Mapping[str, str], files: Mapping[str, object]) -> str:
    """Return the mode for the options of other drivers."""
    asked = [mode for name, mode in FLAGS.items() if _is_true(options, name)]
    if _is_true(options, "ssl-disabled"):
        return "DISABLED"
    if "ca" in files or "capath" in files:
        asked.append("VERIFY_CA")
    asked.append("REQUIRED" if files else "DISABLED")
    return max(asked, key=MODES.index)


def _is_true(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "").lower()
    if text not in TRUE + FALSE:
        raise wrong(f"{name} is true or false")
    return text in TRUE
