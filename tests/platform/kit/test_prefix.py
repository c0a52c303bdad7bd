"""The service behind a proxy that strips a prefix of its paths."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest

from app.kit.errors import InvalidSettings
from app.settings import Settings, load_settings
from tests.kit.probe.service import create_app
from tests.kit.support import serving


class Proxied(httpx2.Client):
    """A client of a proxy that strips a prefix from the paths."""

    def __init__(self, address: str, prefix: str) -> None:
        super().__init__(base_url=address, timeout=10)
        self.prefix = prefix

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        assert request.url.path.startswith(f"{self.prefix}/")
        path = request.url.raw_path.removeprefix(self.prefix.encode())
        request.url = request.url.copy_with(raw_path=path)
        return super().send(request, **options)


@pytest.fixture(scope="module", params=["/team", "/probe", "/a/b"])
def proxied(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Proxied]:
    app = create_app(settings.model_copy(update={"root_path": request.param}))
    with serving(app) as address, Proxied(address, request.param) as client:
        yield client


def test_a_location_has_the_prefix_that_was_stripped(proxied: Proxied) -> None:
    created = proxied.post(f"{proxied.prefix}/probe", json={"content": "Behind a proxy"})

    assert proxied.get(created.headers["Location"]).json() == created.json()
    assert proxied.get(f"{proxied.prefix}/probe").status_code == 200


def test_the_page_and_its_files_are_found_behind_a_prefix(proxied: Proxied) -> None:
    page = proxied.prefix + "/" + proxied.get(f"{proxied.prefix}/").headers["Location"]
    base = f"https://example.com{page}"

    for name in ("openapi.json", "docs/assets/swagger-ui.css"):
        assert f'"{name}"' in proxied.get(page).text.replace("'", '"')
        assert proxied.get(urljoin(base, name).removeprefix("https://example.com")).is_success
    document = proxied.get(f"{proxied.prefix}/openapi.json").json()
    assert document["servers"] == [{"url": proxied.prefix}]


@pytest.mark.parametrize(
    "path", ["notes", "/a b", "//a", "https://a", "/a?b", "/é", "/a/../b", "/."]
)
def test_a_prefix_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("DATABASE_URL", "x://")
    monkeypatch.setenv("ROOT_PATH", path)

    with pytest.raises(InvalidSettings, match=r"^ROOT_PATH: A prefix looks like [a-z /]+$"):
        load_settings()


def test_a_slash_at_the_end_of_a_prefix_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "x://")
    for path in ("/team/", "/team"):
        monkeypatch.setenv("ROOT_PATH", path)
        assert load_settings().root_path == "/team"
