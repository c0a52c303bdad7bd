"""The requests in a stream of bytes, each read as a whole before uvicorn's parser gets it.

After an ``Upgrade``, that parser drops the body and reads its next bytes as a new request, and it
does not report where a body ends. So the bytes of a request are decided here.
"""

import re

from app.kit.http.heads import END, Head, Refused, parse_head

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_CHUNKED_BYTES = 6 * MAX_BODY_BYTES  # A chunk with one byte of data has six.

TOO_LARGE = bytes(MAX_BODY_BYTES + 1)
"""Stands for a body over the limit, which is not read."""

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?\r\n")
_TRAILERS = re.compile(rb"(?:[!-9;-~]+:[^\r\n\0]*\r\n)*\r\n")


class Requests:
    """Reads one request after the other from what is received."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.head: Head | None = None
        """Of a request whose body is not complete."""
        self._awaits_continue = False
        self._body = bytearray()
        self._chunked_bytes = 0

    def is_incomplete(self) -> bool:
        """Return whether a part of a request has come."""
        return bool(self.received or self.head)

    def head_so_far(self) -> bytes:
        """Return what has come of the head of that request."""
        if self.head:
            return self.head.data
        return bytes(self.received[:MAX_HEAD_BYTES]).partition(END)[0]

    def awaits_continue(self) -> bool:
        """Return, once a request, whether the client waits for permission to send the rest."""
        awaits, self._awaits_continue = self._awaits_continue, False
        return awaits

    def next(self) -> tuple[Head, bytes] | None:
        """Return the head and the body of the next request, or ``None`` if it is not complete.

        A body over the limit is ``TOO_LARGE``, and nothing can be read after it. Raises ``Refused``
        if the head is too large, or something is malformed or ambiguous.
        """
        self.head = head = self.head or self._read_head()
        if not head or not (
            self._read_chunks() if head.length is None else self._read(head.length)
        ):
            return None
        body, self._body, self._chunked_bytes = self._body, bytearray(), 0
        self.head, self._awaits_continue = None, False
        return head, bytes(body)

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
        head = parse_head(data)
        del self.received[: len(data)]
        self._awaits_continue = head.awaits_continue()
        return head

    def _read(self, length: int) -> bool:
        """Take what has come of the body; return whether that is all."""
        if length > MAX_BODY_BYTES:
            self._body = bytearray(TOO_LARGE)
            return True
        left = length - len(self._body)
        self._body += self.received[:left]
        del self.received[:left]
        return len(self._body) == length

    def _read_chunks(self) -> bool:
        """The same for chunks."""
        data, begin, trailers = self.received, 0, None
        while line := _CHUNK.match(data, begin):
            start, end = line.end(), line.end() + int(line[1], 16)
            if start == end:
                trailers = _TRAILERS.match(data, start)
                _refuse_if(not trailers and END in data[start - 2 :])
                break
            if len(self._body) + end - start > MAX_BODY_BYTES:
                self._body = bytearray(TOO_LARGE)
                return True
            if not _ends_line(data[end : end + 2]):
                break
            self._body += data[start:end]
            begin = end + 2
        _refuse_if(not line and b"\n" in data[begin:])
        taken = trailers.end() if trailers else begin
        self._chunked_bytes += taken
        del data[:taken]
        if not trailers and self._chunked_bytes + len(data) > MAX_CHUNKED_BYTES:
            raise Refused(413, f"The chunks of the body are over {MAX_CHUNKED_BYTES} bytes.")
        return bool(trailers)


def _refuse_if(malformed: bool) -> None:
    if malformed:
        raise Refused(400, "The chunks of the body are malformed.")


def _ends_line(data: bytearray) -> bool:
    """Return whether these are CR and LF, or ``False`` if that may still come."""
    _refuse_if(not b"\r\n".startswith(data))
    return len(data) == 2
