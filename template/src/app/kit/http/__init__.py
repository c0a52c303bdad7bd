"""The parts of HTTP for the routes of features."""

from app.kit.caller import ANONYMOUS, Access, Caller
from app.kit.http.caller import CurrentCaller, get_caller
from app.kit.http.parameters import Cursor, Id, IdempotencyKey, Limit, given, path_id
from app.kit.http.preconditions import IfMatch, IfNoneMatch, etag, stop_if_current, tagged
from app.kit.http.problems import problem
from app.kit.http.responses import CREATED, NOT_MODIFIED, TAGGED, Data, Page, documented, to_page
from app.kit.http.routing import Route, route_to
from app.kit.ids import parse_id

__all__ = [
    "ANONYMOUS",
    "CREATED",
    "NOT_MODIFIED",
    "TAGGED",
    "Access",
    "Caller",
    "CurrentCaller",
    "Cursor",
    "Data",
    "Id",
    "IdempotencyKey",
    "IfMatch",
    "IfNoneMatch",
    "Limit",
    "Page",
    "Route",
    "documented",
    "etag",
    "get_caller",
    "given",
    "parse_id",
    "path_id",
    "problem",
    "route_to",
    "stop_if_current",
    "tagged",
    "to_page",
]
