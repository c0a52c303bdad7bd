"""What the errors of MySQL, MariaDB and asyncmy mean."""

import re

import pytest
import sqlalchemy as sa
from asyncmy import errors
from asyncmy.converters import escape_item

from app.kit.storage.faults import Fault
from app.kit.storage.mysql_errors import fault

SORTED = {
    Fault.OUTAGE: "3 28 1040 1044 1045 1047 1049 1053 1114 1129 1180 1226 1290 1317 1461 1698 1836 "
    "1927 1969 2003 2013 2026 2059 3024 3118 3159 3572 9001",
    Fault.TRANSIENT: "0 1020 1205 1213 1412 1615 2006 3101 4031",
    Fault.SCHEMA: "1054 1146",
    Fault.NOT_ALLOWED: "1142 1143 1227 1370 1419",
    None: "1048 1062 1064 1305 1364 1406 1451 2014 3819 4025",
}
CODES = [(int(code), means) for means, codes in SORTED.items() for code in codes.split()]
CLASSES = {
    "malformed": (errors.InternalError("Truncated row packet"), Fault.OUTAGE),
    "login": (errors.OperationalError("Couldn't receive server's public key"), Fault.OUTAGE),
    "misuse": (errors.ProgrammingError("Cursor closed"), None),
    "pool": (sa.exc.TimeoutError("QueuePool limit"), Fault.OUTAGE),
    "refused": (ConnectionRefusedError(), Fault.OUTAGE),
    "bug": (KeyError("x"), None),
}


@pytest.mark.parametrize(("code", "means"), CODES)
def test_every_code_has_a_meaning(code: int, means: Fault | None) -> None:
    error = errors.OperationalError(code, "wrong")

    assert fault(error) is means
    assert fault(sa.exc.DBAPIError("SELECT", None, error)) is means


@pytest.mark.parametrize(("error", "means"), CLASSES.values(), ids=CLASSES.keys())
def test_every_class_has_a_meaning(error: Exception, means: Fault | None) -> None:
    assert fault(error) is means


def test_a_dictionary_as_a_value_is_escaped_with_its_keys() -> None:
    """See CVE-2025-65896: asyncmy before 0.2.12 did not escape them."""
    value = escape_item({"a' OR 1=1 -- ": "x"}, "utf8mb4")

    assert not re.search(r"[^\\]'", value[1:-1])
