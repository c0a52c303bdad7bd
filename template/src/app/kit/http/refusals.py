"""Answers of the protocol, as bytes: the application never sees these requests."""

import re
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache

from starlette.datastructures import Headers

from app.kit import logs
from app.kit.http.middleware import NOT_FOR_BROWSERS, request_id_of
from app.kit.http.problems import RETRY_AFTER, problem
from app.kit.http.responses import title

CorsHeaders = Callable[[str], dict[str, str]]
"""Returns the headers that allow an origin's pages to read an answer."""

_FIELDS = re.compile(rb"\r\n(origin|x-request-id):([^\r\n]*)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def refusal(status: int, detail: str, head: bytes, *, keep: bool, cors: CorsHeaders) -> bytes:
    """Return the answer to a request with this head, which may be incomplete."""
    raw = [(name.lower(), value.strip(b" \t")) for name, value in _FIELDS.findall(head)]
    sent = Headers(raw=raw)
    logs.request_id.set(request_id_of(raw))
    more = cors(sent.get("origin", "")) | {"X-Request-ID": logs.request_id.get()}
    if status == 503:
        more["Retry-After"] = RETRY_AFTER
    if not keep:
        more["Connection"] = "close"
    answer = problem(status, detail, headers=more)
    headers = [(b"date", _date(int(time.time()))), *answer.raw_headers, *NOT_FOR_BROWSERS]
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    body = b"" if head.startswith(b"HEAD ") else bytes(answer.body)
    return f"HTTP/1.1 {status} {title(status)}\r\n".encode() + lines + b"\r\n" + body
