"""Which origins are allowed, and which settings are none."""

import httpx2
import pytest

from app.kit.errors import InvalidSettings
from app.settings import Settings, load_settings
from tests.kit.probe.service import create_app
from tests.kit.support import serving

APP = "https://app.example.com"


def asked_from(settings: Settings, origin: str, *allowed: str) -> httpx2.Headers:
    """Return the headers of an answer to a page of an origin."""
    chosen = settings.model_copy(update={"cors_origins": frozenset(allowed)})
    with serving(create_app(chosen)) as address:
        return httpx2.get(f"{address}/probe", headers={"Origin": origin}).headers


@pytest.mark.parametrize("origin", ["https://app.example.com.evil.example", "null", "*", ""])
def test_a_page_of_another_origin_may_not(settings: Settings, origin: str) -> None:
    headers = asked_from(settings, origin, APP)

    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"


def test_a_star_allows_every_origin(settings: Settings) -> None:
    assert asked_from(settings, APP, "*")["Access-Control-Allow-Origin"] == APP


@pytest.mark.parametrize(
    ("origins", "credentials", "named"),
    [
        ("*", "true", "CORS_CREDENTIALS"),
        (f"{APP}, *", "true", "CORS_CREDENTIALS"),
        (f"{APP}/s3cret", "false", "CORS_ORIGINS"),
        ("s3cret.example.com", "false", "CORS_ORIGINS"),
        ("null", "false", "CORS_ORIGINS"),
    ],
)
def test_wrong_origins_are_named_on_one_line(
    monkeypatch: pytest.MonkeyPatch, origins: str, credentials: str, named: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "any://where")
    monkeypatch.setenv("CORS_ORIGINS", origins)
    monkeypatch.setenv("CORS_CREDENTIALS", credentials)

    with pytest.raises(InvalidSettings, match=f"^{named}: ") as refused:
        load_settings()

    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_origins_are_listed_with_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "any://where")
    for text in (f"{APP},http://127.0.0.1:8080", f" {APP} http://127.0.0.1:8080,"):
        monkeypatch.setenv("CORS_ORIGINS", text)
        assert load_settings().cors_origins == {APP, "http://127.0.0.1:8080"}

    monkeypatch.setenv("CORS_ORIGINS", "")
    assert load_settings().cors_origins == frozenset()
