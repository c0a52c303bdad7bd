"""The heads of requests, checked before uvicorn's parser gets them."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

END = b"\r\n\r\n"

_FIELDS = re.compile(
    rb"\n(connection|content-length|expect|host|transfer-encoding|upgrade):([^\r]*)", re.IGNORECASE
)
_DROPPED = re.compile(
    rb"\r\n(?:content-length|expect|transfer-encoding|upgrade):[^\r]*", re.IGNORECASE
)
_SPACE_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
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

    def awaits_continue(self) -> bool:
        """Return whether the client waits for permission to send the body."""
        return self.line.endswith(b"1.1") and self._lists(b"expect", b"100-continue")

    def with_body(self, body: bytes) -> bytes:
        """Return the request with a length instead of chunks, and without ``Upgrade``."""
        data = self.data
        if b" \r" in data or b"\t\r" in data:  # The parser would make it part of the value.
            data = _SPACE_AT_END.sub(b"", data)
        if self.length != len(body) or self.fields.keys() & {b"expect", b"upgrade"}:
            kept = _DROPPED.sub(b"", data)[: -len(END)]
            data = b"%b\r\nContent-Length: %d%b" % (kept, len(body), END)
        return data + body

    def _lists(self, name: bytes, token: bytes) -> bool:
        words = b",".join(self.fields.get(name, [])).lower().split(b",")
        return token in (word.strip(b" \t") for word in words)


def parse_head(data: bytes) -> Head:
    """Return the head, or raise ``Refused`` if it is ambiguous."""
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
