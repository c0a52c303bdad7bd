"""Answers to what no application is asked about, as they go over the wire."""

import re
import time
from email.utils import formatdate
from functools import lru_cache

from starlette.datastructures import Headers

from app.kit import logs
from app.kit.http.middleware import request_id_of
from app.kit.http.problems import RETRY_AFTER, problem, title
from app.kit.http.security_headers import NOT_FOR_BROWSERS

_REQUEST_ID = re.compile(rb"\r\nx-request-id:[ \t]*([^ \t\r]*)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def refusal(status: int, detail: str, head: bytes, *, keep: bool) -> bytes:
    """Return the answer to a request with that head, or a part of it."""
    sent = [(b"x-request-id", value) for value in _REQUEST_ID.findall(head)]
    request_id = request_id_of(Headers(raw=sent))
    logs.request_id.set(request_id)
    answer = problem(status, detail, headers={"Retry-After": RETRY_AFTER} if status == 503 else {})
    headers = [
        (b"date", _date(int(time.time()))),
        *answer.raw_headers,
        *NOT_FOR_BROWSERS,
        (b"x-request-id", request_id.encode()),
        *([] if keep else [(b"connection", b"close")]),
    ]
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    body = b"" if head.startswith(b"HEAD ") else bytes(answer.body)
    return f"HTTP/1.1 {status} {title(status)}\r\n".encode() + lines + b"\r\n" + body
