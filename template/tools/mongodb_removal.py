"""The revision that drops the collection of a feature without a specification."""

from importlib import import_module
from pprint import pformat

from merge import Files
from mongodb_revisions import text_of

RESTORED = """await database.create_collection(
        "{name}", validator=RULES, validationLevel="strict", validationAction="error"
    )
    await database["{name}"].create_index("idempotency.key", unique=True, sparse=True)"""


def revision(name: str) -> Files:
    """Return its text by its path."""
    rules = import_module(f"app.{name}.mongodb").RECORDS.rules
    constant = f"RULES: dict[str, Any] = {pformat(rules, width=88, sort_dicts=False)}"
    dropped = f'await database.drop_collection("{name}")'
    return text_of(f"remove {name}", constant, dropped, RESTORED.format(name=name))
