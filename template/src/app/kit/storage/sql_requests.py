"""The columns for requests with an idempotency key."""

from typing import Any

import sqlalchemy as sa

from app.kit.idempotency import MAX_KEY, FirstRequest
from app.kit.storage.sql_tables import THIS_ID

REQUEST = ("idempotency_key", "content_sha256")


def request_columns() -> list[sa.Column[Any]]:
    """Return new columns for the request that added a row."""
    return [
        sa.Column("idempotency_key", sa.String(MAX_KEY), unique=True),
        sa.Column("content_sha256", sa.String(64)),
    ]


def request_row(request: FirstRequest | None) -> dict[str, str | None]:
    """Return the values of these columns."""
    values = (request.key, request.sha256) if request else (None, None)
    return dict(zip(REQUEST, values, strict=True))


def to_request(key: str | None, sha256: str | None) -> FirstRequest | None:
    """Return the request from the values of these columns, if there was a key."""
    return FirstRequest(key, sha256) if key and sha256 else None


class Requests:
    """The statements about the requests in a table."""

    def __init__(self, table: sa.Table) -> None:
        key = table.c.idempotency_key
        self.find = sa.select(table.c.id, table.c.content_sha256, table.c.created_at).where(
            key == sa.bindparam("key")
        )
        # A commit waits for the disk and for standbys only if its transaction wrote something.
        this = sa.update(table).where(table.c.id == THIS_ID)
        self.change_and_undo = [this.values(version=table.c.version + step) for step in (-1, 1)]
