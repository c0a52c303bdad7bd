"""The schema, revision by revision."""

import logging
from collections.abc import Collection, Set

log = logging.getLogger(__name__)


def all_known(found: Collection[str], known: Set[str]) -> bool:
    """Return whether this code knows all revisions of a database, and log those it does not."""
    unknown = ", ".join(sorted(set(found) - known))
    if unknown:
        log.warning("The database has revisions of other code, which stay: %s", unknown)
    return not unknown
