"""The parts of the URL of a database.

An error is one line that repeats no value: any part may hold a piece of a password that was not
percent-encoded. So ``@`` is allowed only before the host.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from app.kit.errors import InvalidSettings

_URL = re.compile(
    r"[a-z0-9+]+://"
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<hosts>[^@/?#]*)(?:/(?P<database>[^@/?#]*))?(?:\?(?P<options>[^@?#]*))?"
)
_HOST = re.compile(r"(?P<name>\[[0-9A-Za-z:.%]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,5}))?")
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_NAME = re.compile("[A-Za-z][A-Za-z0-9_.-]{0,63}")

FORM = "scheme://user:password@host:port/database"


@dataclass(frozen=True)
class Address:
    """The parts of a URL; a missing part is empty."""

    user: str = ""
    password: str = field(default="", repr=False)
    hosts: tuple[tuple[str, int | None], ...] = ()
    database: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


def wrong(what: str) -> InvalidSettings:
    """Return the error about the URL."""
    return InvalidSettings(f"DATABASE_URL: {what}")


def parse(url: str, fold: Callable[[str], str] = str, repeatable: Collection[str] = ()) -> Address:
    """Return the parts of a URL, decoded, or raise ``InvalidSettings``.

    ``fold`` is how names of options compare; only those in ``repeatable`` may be given twice.
    """
    if " " in url or not url.isprintable():
        raise wrong("it contains white space or a character that cannot be printed")
    if not (match := _URL.fullmatch(url)) or _BAD_ESCAPE.search(url):
        raise wrong(f"it must be like {FORM}; a @, :, /, ?, # or % in the password is encoded: %40")
    return Address(
        user=_decoded(match["user"]),
        password=_decoded(match["password"]),
        hosts=parse_hosts(match["hosts"]),
        database=_decoded(match["database"]),
        options=_options(match["options"], fold, repeatable),
    )


def parse_hosts(text: str) -> tuple[tuple[str, int | None], ...]:
    """Return the names and ports of hosts separated by commas."""
    matches = [_HOST.fullmatch(host) for host in text.split(",")] if text else []
    return tuple(_host(match) for match in matches)


def _host(match: re.Match[str] | None) -> tuple[str, int | None]:
    if not match or not 0 < int(match["port"] or 1) < 65536:
        raise wrong("the host or the port is malformed")
    name = _decoded(match["name"].strip("[]"))
    if "/" not in name:  # A slash means the path of a socket.
        try:
            name.encode("idna")
        except UnicodeError:
            raise wrong("the host is malformed") from None
    return name, int(match["port"] or 0) or None


def _options(
    text: str | None, fold: Callable[[str], str], repeatable: Collection[str]
) -> dict[str, str]:
    options: dict[str, str] = {}
    for number, option in enumerate(filter(None, re.split("[&;]", text or "")), 1):
        written, equals, value = option.partition("=")
        if not equals or not _NAME.fullmatch(written):
            raise wrong("what follows the ? must be options like name=value, separated by &")
        name = fold(written)
        if name in options and name not in repeatable:
            raise wrong(f"option {number} after the ? is there twice")
        options[name] = _decoded(value)
    return options


def _decoded(text: str | None) -> str:
    try:
        decoded = unquote(text or "", errors="strict")
    except UnicodeDecodeError:
        raise wrong("what is percent-encoded must be UTF-8") from None
    if "\0" in decoded:
        raise wrong("it contains the character NUL")
    return decoded


def only_known(options: Iterable[str], known: Collection[str]) -> None:
    """Raise ``InvalidSettings`` for an option that is not known.

    It may be a piece of a password, so it is given by its number.
    """
    for number, name in enumerate(options, 1):
        if name not in known:
            hint = "in a value or a password, ?, & and ; are encoded: %3F, %26, %3B"
            raise wrong(f"option {number} after the ? is not supported; {hint}")


def one_of(options: Mapping[str, str], name: str, values: Collection[str], default: str) -> str:
    """Return an option's value, or raise ``InvalidSettings`` if it is not one of the values."""
    if (value := options.get(name, default)) not in values:
        raise wrong(f"{name} is one of {', '.join(values)}")
    return value


def require_readable(option: str, path: str) -> None:
    """Raise ``InvalidSettings`` if the file of an option cannot be read."""
    if not os.access(path, os.R_OK):
        raise wrong(f"{option} names nothing that can be read")
