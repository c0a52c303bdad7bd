"""Which file a URL names, and what stops the start in one line."""

import pytest

from app.kit.errors import InvalidSettings
from app.kit.storage.sqlite_url import parse

TAKEN = {
    "sqlite:///notes.db": "notes.db",
    "sqlite+aiosqlite:///data/notes.db": "data/notes.db",
    "sqlite:////data/notes.db": "/data/notes.db",
    "sqlite:///memory.db": "memory.db",
    "sqlite:////a b/100%/ü#1@2.db": "/a b/100%/ü#1@2.db",
    "sqlite:///notes.db?timeout=20&check_same_thread=false": "notes.db",
}
REFUSED = {
    "sqlite://s3cret.db": "sqlite:///app.db",
    "sqlite://": "sqlite:///app.db",
    "sqlite:///": "sqlite:///app.db",
    "sqlite:///:memory:": "sqlite:///app.db",
    "sqlite:///file:s3cret?mode=memory&uri=true": "sqlite:///app.db",
    "sqlite:notes.db": "sqlite:///app.db",
    "sqlite:///s3cret.db\n": "printed",
    "sqlite:///s3cret\0.db": "printed",
    "sqlite:///s3cret\udcff.db": "printed",
    "sqlite:///notes.db?mode\n=s3cret": "printed",
    "sqlite:///notes.db?mode=s3cret": "option 1 after",
    "sqlite:///notes.db?uri=s3cret": "option 1 after",
    "sqlite:///notes.db?cache=s3cret": "option 1 after",
}


@pytest.mark.parametrize(("url", "path"), TAKEN.items())
def test_it_names_a_file(url: str, path: str) -> None:
    assert parse(url) == path


@pytest.mark.parametrize(("url", "named"), REFUSED.items())
def test_what_is_wrong_is_named_without_its_value(url: str, named: str) -> None:
    with pytest.raises(InvalidSettings, match=named) as caught:
        parse(url)

    assert str(caught.value).startswith("DATABASE_URL: ")
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
