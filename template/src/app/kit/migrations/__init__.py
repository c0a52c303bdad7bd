"""The schema, revision by revision."""

from collections.abc import Collection, Set

from app.kit.errors import Conflict


def require_known(found: Collection[str], known: Set[str]) -> None:
    """Raise ``Conflict`` if a database has revisions that this code does not know."""
    if unknown := ", ".join(sorted(set(found) - known)):
        raise Conflict(f"The database has revisions of other code, perhaps newer: {unknown}")
