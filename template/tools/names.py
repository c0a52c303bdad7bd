"""Names that a feature or a field cannot have."""

import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from console import Refused

APP = Path("src/app")

MAX_NAME = 40
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

OTHER_PATHS = {"docs", "health", "metrics"}
ATTRIBUTES = {"collection", "storage"}
TABLES = {"comments", "probe"}
OF_MIGRATIONS = "_version"  # Their table may end so.

# What databases reserve, besides Python's own keywords.
RESERVED = """
    accessible add admin after all alter analyse analyze any array asc asensitive asymmetric attach
    authorization autoincrement before begin between bigint binary blob body both by call cascade
    case cast change char character check collate column commit condition conflict constraint
    convert create cross cube cume_dist current_catalog current_date current_role current_schema
    current_time current_timestamp current_user cursor database databases dec decimal declare
    default deferrable deferred delayed delete dense_rank desc describe detach deterministic
    distinct distinctrow div do double drop dual each elseif elsif empty enclosed end escape escaped
    exclusive exists exit explain fail false fetch first_value float foreign freeze full fulltext
    function general generated get glob goto grant group grouping groups having ignore ilike
    immediate index indexed infile initially inner inout insensitive insert instead int integer
    intersect interval into isnull iterate join key keys kill lag last_value lateral lead leading
    leave left like limit linear lines load localtime localtimestamp lock long longblob longtext
    loop match maxvalue member mod modifies natural new notnull nth_value ntile null numeric of off
    offset old on only optimize option optionally order others out outer outfile over overlaps
    package parallel partition percent_rank period persist placing plan position pragma precision
    primary procedure purge qualify query range rank read reads real recursive references regexp
    reindex release rename repeat replace require resignal restrict returning revoke right rlike
    role rollback row row_number rows schema schemas select sensitive separator session_user set
    show signal similar slow smallint some spatial specific ssl starting stored straight_join
    symmetric system system_time table temp temporary terminated then to trailing transaction
    trigger true undo union unique unlock unsigned update usage use user using vacuum values varchar
    variadic varying verbose versioning view virtual when where window without write xor zerofill
"""

# What every resource has besides, in its bodies, in its table, or in what changes that.
OWN_FIELDS = """
    id version created_at updated_at metadata registry idempotency idempotency_key content_sha256
    this_id expected_version referred_to_at new values construct copy dict from_orm json parse_file
    parse_obj parse_raw schema schema_json update_forward_refs validate
"""


def check_field_name(name: str) -> None:
    """Raise ``Refused`` for a name that a field cannot have."""
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise Refused(f"{name!r} is no name of a field: use snake_case, up to {MAX_NAME} letters")
    if name in OWN_FIELDS.split() or name.startswith("model_"):
        raise Refused(f"{name}: every resource has something of that name already")
    if keyword.iskeyword(name):
        raise Refused(f"{name}: it is a word of Python's")


def singular_of(name: str, given: str) -> str:
    """Return the singular: the one given, or the plural without a trailing ``s``."""
    singular = given or name.removesuffix("s")
    if singular == name:
        raise Refused(f"{name}: give its singular, as in SINGULAR=shelf; it differs")
    return singular


def check_names(name: str, singular: str) -> None:
    """Raise ``Refused`` for names that a new feature cannot have."""
    for reason, names in _taken():
        if name in names:
            raise Refused(f"{name}: {reason}")
    if name.endswith(OF_MIGRATIONS):
        raise Refused(f"{name}: migrations may have a table of that name")
    for each in (name, singular):
        if not NAME.fullmatch(each) or len(each) > MAX_NAME:
            raise Refused(f"{each!r} is no name: use snake_case, up to {MAX_NAME} letters")
        if keyword.iskeyword(each) or keyword.issoftkeyword(each):
            raise Refused(f"{each}: it is a word of Python's")


def _taken() -> Iterator[tuple[str, set[str]]]:
    yield "the project has a module or package of that name", {p.stem for p in APP.glob("*")}
    yield "the project has tests of that name", {p.stem for p in Path("tests").glob("*")}
    yield "the service has such a path already", OTHER_PATHS
    yield "the example or the tests have a table of that name", TABLES
    yield "repositories have something of that name already", ATTRIBUTES
    yield "Python has a module of that name", set(sys.stdlib_module_names)
    yield "databases reserve that word", set(RESERVED.split())
