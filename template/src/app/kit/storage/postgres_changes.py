"""Changes as one statement, which also selects the changed resource."""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from app.kit.storage.sql_statements import Change
from app.kit.storage.sql_tables import THIS_ID


@lru_cache(maxsize=1000)
def at_once(change: Change, names: tuple[str, ...]) -> sa.Select[Any]:
    """Return a change as one statement, which also sets the named columns to parameters ``new_…``.

    An update that waited for a lock sees the newest row, but other tables as they were when the
    statement began: it would return old parts with a new version. So it changes a row only if that
    still has the version of that moment. Each change of a part increments the version.
    """
    table = change.update.table
    seen = table.alias("seen")
    current = sa.select(seen.c.version).where(seen.c.id == THIS_ID).scalar_subquery()
    new = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    update = change.returning.values(new).where(table.c.version == current)
    return change.whole(update.cte("changed"))
