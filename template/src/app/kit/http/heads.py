"""The heads of requests, checked as a whole before uvicorn's parser sees them.

After an ``Upgrade``, that parser drops the body and reads its next bytes as a new request, and it
does not report where a body ends. So ``Upgrade`` and the length of the body are decided here.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

MAX_HEAD_BYTES = 16 * 1024
END = b"\r\n\r\n"

_FIELDS = re.compile(
    rb"\n(connection|content-length|host|transfer-encoding|upgrade):([^\r]*)", re.IGNORECASE
)
_DIGITS = re.compile(rb"[0-9]{1,15}")
_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")


class Refused(Exception):
    """The request is answered with ``status`` and ``detail``; the application does not get it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(slots=True)
class Head:
    """The head of one request."""

    data: bytes
    line: bytes
    fields: dict[bytes, list[bytes]]
    """The values of the headers in ``_FIELDS``, by their names in lower case."""
    length: int | None
    """Bytes of the body; ``None`` if it comes in chunks."""

    @property
    def path(self) -> str:
        """The path of the request, decoded."""
        return unquote(self.line.split(b" ")[1].partition(b"?")[0].decode("latin-1"))

    def keeps_alive(self) -> bool:
        """Return whether the client may send another request on this connection."""
        return self.line.endswith(b"1.1") and not self._lists(b"connection", b"close")

    def is_handshake(self) -> bool:
        """Return whether the client asks for a WebSocket."""
        upgrades = [value.lower() for value in self.fields.get(b"upgrade", [])]
        asks = upgrades == [b"websocket"] and self._lists(b"connection", b"upgrade")
        return asks and self.length == 0 and self.line.startswith(b"GET ")

    def without_upgrade(self) -> bytes:
        """Return the head without ``Upgrade`` and without white space at the end of lines."""
        if b"upgrade" not in self.fields and b" \r" not in self.data and b"\t\r" not in self.data:
            return self.data
        lines = self.data[: -len(END)].split(b"\r\n")
        kept = (line.rstrip(b" \t") for line in lines[1:] if line[:8].lower() != b"upgrade:")
        return b"\r\n".join((self.line, *kept)) + END

    def _lists(self, name: bytes, token: bytes) -> bool:
        words = b",".join(self.fields.get(name, [])).lower().split(b",")
        return token in (word.strip(b" \t") for word in words)


def read_head(received: bytes) -> Head | None:
    """Return the head at the beginning of the bytes, or ``None`` if it is not complete.

    Raises ``Refused`` if the head is too long or ambiguous.
    """
    end = received.find(END)
    data = received[: end + len(END)] if end >= 0 else received
    if len(data) > MAX_HEAD_BYTES:
        status = 431 if b"\r\n" in data[:MAX_HEAD_BYTES] else 414
        raise Refused(status, f"The head of the request is over {MAX_HEAD_BYTES} bytes.")
    if not b"A" <= data[:1] <= b"Z" or data.count(b"\n") != data.count(b"\r\n"):
        raise Refused(400, "This is not HTTP.")
    return _parsed(data) if end >= 0 else None


def _parsed(data: bytes) -> Head:
    if b"\n " in data or b"\n\t" in data:
        raise Refused(400, "A header is folded over several lines.")
    line = data[: data.index(b"\r")]
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELDS.findall(data):
        fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
    if not line.endswith(_VERSIONS) or line.startswith(b"CONNECT ") or line.count(b" ") != 2:
        raise Refused(400, "The first line is not one of HTTP/1.1.")
    hosts = len(fields.get(b"host", []))
    if hosts > 1 or (not hosts and line.endswith(b"1.1")):
        raise Refused(400, "The request must have one Host header.")
    return Head(data, line, fields, _length(line, fields))


def _length(line: bytes, fields: dict[bytes, list[bytes]]) -> int | None:
    lengths = fields.get(b"content-length", [])
    codings = fields.get(b"transfer-encoding", [])
    if codings:
        chunked = [coding.lower() for coding in codings] == [b"chunked"]
        if not chunked or lengths or not line.endswith(b"1.1"):
            raise Refused(400, "The only transfer coding is chunked, without a length.")
        return None
    if len(lengths) > 1 or not all(_DIGITS.fullmatch(length) for length in lengths):
        raise Refused(400, "The length of the body is not one number.")
    return int(lengths[0]) if lengths else 0
