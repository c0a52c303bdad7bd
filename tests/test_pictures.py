"""The pictures of README.md, which `make pictures` makes."""

import re
from xml.etree import ElementTree

import pytest

from conftest import ROOT

PICTURES = re.findall(r"\((docs/pictures/[a-z]+\.svg)\)", (ROOT / "README.md").read_text())
MAX_BYTES = 20_000


def test_the_readme_has_pictures() -> None:
    assert {"docs/pictures/session.svg", "docs/pictures/request.svg"} <= set(PICTURES)


@pytest.mark.parametrize("path", PICTURES)
def test_a_picture_is_small_text_for_light_and_dark(path: str) -> None:
    text = (ROOT / path).read_text()
    tree = ElementTree.fromstring(text)

    assert len(text) < MAX_BYTES
    assert "prefers-color-scheme: dark" in text
    assert tree.findtext("{http://www.w3.org/2000/svg}title")
    assert len(tree.findall("{http://www.w3.org/2000/svg}text")) > 5
    assert not re.search(r"<script|<image|url\(|href=", text)


def test_the_request_goes_through_files_that_exist() -> None:
    text = (ROOT / "docs/pictures/request.svg").read_text()
    named = re.findall(r">((?:kit|notes|storage|tests)/[a-z_/]+\.py)<", text)

    assert len(named) > 8
    for name in named:
        places = (f"src/app/{name}", f"src/app/kit/{name}", name)
        assert any((ROOT / "template" / place).is_file() for place in places), name
