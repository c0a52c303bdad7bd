"""Bodies that come in chunks (RFC 9112, 7.1)."""

import re

from app.kit.http.limits import MAX_BODY_BYTES, MAX_CHUNKED_BYTES, TOO_LARGE, Refused

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?\r\n")
_TRAILERS = re.compile(rb"(?:[!-9;-~]+:[^\r\n\0]*\r\n)*\r\n")


class Chunks:
    """Reads the chunks of one body."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._taken = 0

    def read(self, data: bytearray) -> bytes | None:
        """Take what has come; return the body once it is complete. Raises ``Refused``."""
        begin, trailers = 0, None
        while line := _SIZE.match(data, begin):
            start, end = line.end(), line.end() + int(line[1], 16)
            if start == end:
                trailers = _TRAILERS.match(data, start)
                _refuse_if(not trailers and b"\r\n\r\n" in data[start - 2 :])
                break
            if len(self._body) + end - start > MAX_BODY_BYTES:
                return TOO_LARGE
            if not _ends_line(data[end : end + 2]):
                break
            self._body += data[start:end]
            begin = end + 2
        _refuse_if(not line and b"\n" in data[begin:])
        taken = trailers.end() if trailers else begin
        self._taken += taken
        del data[:taken]
        if not trailers and self._taken + len(data) > MAX_CHUNKED_BYTES:
            raise Refused(413, f"The chunks of the body are over {MAX_CHUNKED_BYTES} bytes.")
        return bytes(self._body) if trailers else None


def _refuse_if(malformed: bool) -> None:
    if malformed:
        raise Refused(400, "The chunks of the body are malformed.")


def _ends_line(data: bytearray) -> bool:
    """Return whether these are CR and LF, or ``False`` if that may still come."""
    _refuse_if(not b"\r\n".startswith(data))
    return len(data) == 2
