"""Servers that are too old."""

import pytest

from app.kit.errors import InvalidSettings
from app.kit.storage.faults import require_version


@pytest.mark.parametrize("found", [(8, 0, 17), (8, 0, 17, 1), (8, 1), (9, 7, 0), (10,)])
def test_what_is_new_enough_is_accepted(found: tuple[int, ...]) -> None:
    require_version(found, (8, 0, 17))


@pytest.mark.parametrize("found", [(), (5, 7), (8,), (8, 0, 16)])
def test_what_is_too_old_is_refused_in_one_line(found: tuple[int, ...]) -> None:
    with pytest.raises(InvalidSettings, match=r"DATABASE_URL: .* 8\.0\.17 is the oldest"):
        require_version(found, (8, 0, 17))
