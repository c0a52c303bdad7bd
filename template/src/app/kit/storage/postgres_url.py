"""The URL of PostgreSQL: the options of libpq, asyncpg and SQLAlchemy, translated for asyncpg."""

import ssl
from collections.abc import Mapping
from typing import Any

from app.kit.storage import tls, urls
from app.kit.storage.urls import Address, one_of, wrong

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SESSIONS = ("any", "primary", "standby", "read-write", "read-only")
VERSIONS = {name.replace("_", "."): name for name in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3")}
CACHES = (
    *("statement_cache_size", "max_cached_statement_lifetime", "max_cacheable_statement_size"),
    "prepared_statement_cache_size",  # SQLAlchemy's second cache; both get one size.
)
FILES = {"sslrootcert": "ca", "sslcert": "cert", "sslkey": "key", "sslcrl": "crl"}
TRANSLATED = (
    *("host", "port", "user", "password", "passfile", "dbname", "database", "target_session_attrs"),
    *("application_name", "fallback_application_name", "options", *CACHES, *FILES),
    *("ssl", "sslmode", "sslpassword", "sslnegotiation", "direct_tls"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version"),
)
DROPPED = (
    # The service has its own time limits; the kernel's keepalives detect a lost peer.
    *("connect_timeout", "command_timeout", "timeout", "tcp_user_timeout"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
    # asyncpg always does what their usual values ask for.
    *("channel_binding", "client_encoding", "gssdelegation", "min_protocol_version"),
    *("max_protocol_version", "sslcompression", "sslsni", "async_fallback"),
)
WEAK = {"gssencmode": ("disable", "prefer"), "load_balance_hosts": ("disable",)}
"""Dropped with these values; others ask for what asyncpg cannot do, and are refused."""

TRUE = ("1", "true", "on", "yes")
FALSE = ("0", "false", "off", "no")


def parse(url: str) -> dict[str, Any]:
    """Return the arguments for asyncpg, or raise ``InvalidSettings``."""
    address = urls.parse(url)
    options = address.options
    urls.only_known(options, (*TRANSLATED, *DROPPED, *WEAK))
    for name, values in WEAK.items():
        one_of(options, name, values, values[0])
    places = _hosts(address)
    session = "read-write" if places["host"][1:] else "any"  # Of several hosts, the primary.
    arguments = {
        "user": address.user or options.get("user"),
        "password": address.password or options.get("password"),
        "passfile": options.get("passfile"),
        "database": address.database or options.get("dbname") or options.get("database"),
        "server_settings": _server_settings(options),
        "target_session_attrs": one_of(options, "target_session_attrs", SESSIONS, session),
        "ssl": _tls(options),
        "direct_tls": _direct(options),
        **_caches(options),
        **places,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _hosts(address: Address) -> dict[str, Any]:
    options = address.options
    hosts = address.hosts or urls.parse_hosts(options.get("host", "localhost"))
    default = urls.parse_hosts(f":{options.get('port') or 5432}")[0][1]
    names = [name or "localhost" for name, _ in hosts]
    return {"host": names, "port": [port or default for _, port in hosts]}


def _server_settings(options: Mapping[str, str]) -> dict[str, str]:
    name = options.get("application_name") or options.get("fallback_application_name")
    settings = {"application_name": name, "options": options.get("options")}
    return {name: value for name, value in settings.items() if value}


def _caches(options: Mapping[str, str]) -> dict[str, int]:
    sizes = {}
    for name in CACHES:
        if (text := options.get(name)) is not None:
            if not (text.isascii() and text.isdecimal() and len(text) < 10):
                raise wrong(f"{name} is a whole number")
            sizes[name.removeprefix("prepared_")] = int(text)
    return sizes


def _direct(options: Mapping[str, str]) -> bool:
    """Return whether TLS starts directly, without a request in plain text."""
    negotiation = one_of(options, "sslnegotiation", ("postgres", "direct"), "postgres")
    given = {"direct_tls": options.get("direct_tls", "false").lower()}
    direct = one_of(given, "direct_tls", (*TRUE, *FALSE), "") in TRUE or negotiation == "direct"
    if direct and MODES.index(_mode(options)) < MODES.index("require"):
        raise wrong("direct TLS needs sslmode=require, verify-ca or verify-full")
    return direct


def _mode(options: Mapping[str, str]) -> str:
    given = options.get("ssl", "prefer")
    default = {"true": "require", "false": "disable"}.get(given.lower(), given)
    if default not in MODES:
        raise wrong(f"ssl is one of true, false, {', '.join(MODES)}")
    if options.get("sslrootcert") == "system":
        return one_of(options, "sslmode", ("verify-full",), "verify-full")
    return one_of(options, "sslmode", MODES, default)


def _tls(options: Mapping[str, str]) -> ssl.SSLContext | str | bool:
    mode = _mode(options)
    lowest = _version(options, "ssl_min_protocol_version", "TLSv1.2")
    highest = _version(options, "ssl_max_protocol_version", "TLSv1.3")
    files = {kind: (name, options[name]) for name, kind in FILES.items() if options.get(name)}
    if MODES.index(mode) < MODES.index("require"):
        if files:  # libpq would ignore them, or not verify the server.
            names = ", ".join(name for name, _ in files.values())
            raise wrong(f"{names}: needs sslmode=require, verify-ca or verify-full")
        return mode if mode != "disable" else False
    # Without a file of roots, libpq and asyncpg look for one in the user's home, which a container
    # does not have. The service uses the system's roots, as libpq does for sslrootcert=system.
    if files.get("ca", ("", ""))[1] == "system":
        del files["ca"]
    verify = mode != "require" or "ca" in files
    password = options.get("sslpassword", "")
    made = tls.context(files, verify=verify, hostname=mode == "verify-full", password=password)
    made.minimum_version, made.maximum_version = lowest, highest
    made.set_alpn_protocols(["postgresql"])  # Direct TLS needs it.
    return made


def _version(options: Mapping[str, str], name: str, default: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[VERSIONS[one_of(options, name, VERSIONS, default)]]
