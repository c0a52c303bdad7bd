"""The requests in a stream of bytes, each read as a whole before uvicorn's parser gets it.

After an ``Upgrade``, that parser drops the body and reads its next bytes as a new request, and it
does not report where a body ends. So the bytes of a request are decided here.
"""

import re
from urllib.parse import unquote

from app.kit.http.chunks import Chunks
from app.kit.http.limits import MAX_BODY_BYTES, MAX_HEAD_BYTES, TOO_LARGE, Refused

END = b"\r\n\r\n"

_FIELDS = re.compile(
    rb"\n(connection|content-length|expect|host|transfer-encoding|upgrade):([^\r]*)", re.IGNORECASE
)
_DROPPED = re.compile(
    rb"\r\n(?:content-length|expect|transfer-encoding|upgrade):[^\r]*", re.IGNORECASE
)
_SPACE_AT_END, _DIGITS = re.compile(rb"[ \t]+(?=\r\n)"), re.compile(rb"[0-9]{1,15}")
_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")


class Head:
    """The head of one request; raises ``Refused`` if it is ambiguous.

    ``length`` is that of the body, in bytes; ``None`` if it comes in chunks.
    """

    def __init__(self, data: bytes) -> None:
        if b"\n " in data or b"\n\t" in data:
            raise Refused(400, "A header is folded over several lines.")
        self.data, self.line = data, data[: data.index(b"\r")]
        self._fields: dict[bytes, list[bytes]] = {}
        for name, value in _FIELDS.findall(data):
            self._fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
        line, hosts = self.line, len(self._fields.get(b"host", ()))
        if not line.endswith(_VERSIONS) or line.startswith(b"CONNECT ") or line.count(b" ") != 2:
            raise Refused(400, "The first line is not one of HTTP/1.1.")
        if hosts > 1 or (not hosts and line.endswith(b"1.1")):
            raise Refused(400, "The request must have one Host header.")
        self.length = self._length()

    def _length(self) -> int | None:
        lengths = self._fields.get(b"content-length", [])
        codings = self._fields.get(b"transfer-encoding", [])
        if codings:
            chunked = [coding.lower() for coding in codings] == [b"chunked"]
            if not chunked or lengths or not self.line.endswith(b"1.1"):
                raise Refused(400, "The only transfer coding is chunked, without a length.")
            return None
        if len(lengths) > 1 or not all(map(_DIGITS.fullmatch, lengths)):
            raise Refused(400, "The length of the body is not one number.")
        return int(lengths[0]) if lengths else 0

    @property
    def path(self) -> str:
        """The path of the request, decoded."""
        return unquote(self.line.split(b" ")[1].partition(b"?")[0].decode("latin-1"))

    def keeps_alive(self) -> bool:
        """Return whether the client may send another request on this connection."""
        return self.line.endswith(b"1.1") and not self._lists(b"connection", b"close")

    def is_handshake(self) -> bool:
        """Return whether the client asks for a WebSocket."""
        upgrades = [value.lower() for value in self._fields.get(b"upgrade", ())]
        asks = upgrades == [b"websocket"] and self._lists(b"connection", b"upgrade")
        return asks and self.length == 0 and self.line.startswith(b"GET ")

    def awaits_continue(self) -> bool:
        """Return whether the client waits for permission to send the body."""
        expects = b"expect" in self._fields and self._lists(b"expect", b"100-continue")
        return expects and self.line.endswith(b"1.1")

    def with_body(self, body: bytes) -> bytes:
        """Return the request with a length instead of chunks, and without ``Upgrade``."""
        data = self.data
        if b" \r" in data or b"\t\r" in data:  # The parser would make it part of the value.
            data = _SPACE_AT_END.sub(b"", data)
        if self.length != len(body) or self._fields.keys() & {b"expect", b"upgrade"}:
            kept = _DROPPED.sub(b"", data)[: -len(END)]
            data = b"%b\r\nContent-Length: %d%b" % (kept, len(body), END)
        return data + body

    def _lists(self, name: bytes, token: bytes) -> bool:
        words = b",".join(self._fields.get(name, ())).lower().split(b",")
        return token in (word.strip(b" \t") for word in words)


class Requests:
    """Reads one request after the other from what is received."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.head: Head | None = None
        """Of a request whose body is not complete."""
        self.awaits_continue = False  # Its client waits for permission to send the body.
        self._chunks: Chunks | None = None

    def is_incomplete(self) -> bool:
        """Return whether a part of a request has come."""
        return bool(self.received or self.head)

    def head_so_far(self) -> bytes:
        """Return what has come of the head of that request."""
        if self.head:
            return self.head.data
        return bytes(self.received[:MAX_HEAD_BYTES]).partition(END)[0]

    def next(self) -> tuple[Head, bytes] | None:
        """Return the head and the body of the next request, or ``None`` if it is not complete.

        A body over the limit is ``TOO_LARGE``, and nothing can be read after it. Raises ``Refused``
        if the head is too large, or something is malformed or ambiguous.
        """
        self.head = head = self.head or self._read_head()
        if not head or (body := self._read_body(head.length)) is None:
            return None
        self.head, self._chunks, self.awaits_continue = None, None, False
        return head, body

    def _read_head(self) -> Head | None:
        self.received = self.received.lstrip(b"\r\n")
        end = self.received.find(END)
        data = bytes(self.received[: end + len(END)] if end >= 0 else self.received)
        if len(data) > MAX_HEAD_BYTES:
            status = 431 if b"\r\n" in data[:MAX_HEAD_BYTES] else 414
            raise Refused(status, f"The head of the request is over {MAX_HEAD_BYTES} bytes.")
        if data and (not b"A" <= data[:1] <= b"Z" or data.count(b"\n") != data.count(b"\r\n")):
            raise Refused(400, "This is not HTTP.")
        if end < 0:
            return None
        head = Head(data)
        del self.received[: len(data)]
        self.awaits_continue = head.awaits_continue()
        return head

    def _read_body(self, length: int | None) -> bytes | None:
        if length is None:
            self._chunks = self._chunks or Chunks()
            return self._chunks.read(self.received)
        if length > MAX_BODY_BYTES:
            return TOO_LARGE
        if len(self.received) < length:
            return None
        body = bytes(self.received[:length])
        del self.received[:length]
        return body
