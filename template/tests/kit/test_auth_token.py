"""Static tokens: making them, replacing them, and the days they live."""

from datetime import timedelta

import pytest
import typer
from pydantic import SecretStr

from app.kit.auth.access import Access, InvalidToken
from app.kit.auth.token import build_verifier, day_to_come, new_token
from app.kit.errors import InvalidSettings
from app.kit.ids import now
from app.settings import Settings
from tests.kit.test_cli import app

DIGEST = "a" * 64
MALFORMED = {
    "a token": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA",
    "no access": f"sha256:{DIGEST}",
    "an unknown access": f"sha256:{DIGEST}:admin",
    "an empty access": f"sha256:{DIGEST}:",
    "another hash": f"md5:{DIGEST}:read",
    "half a hash": f"sha256:{DIGEST[:32]}:read",
    "no date": f"sha256:{DIGEST}:read:",
    "a day that there is not": f"sha256:{DIGEST}:read:2027-02-30",
    "a date of another form": f"sha256:{DIGEST}:read:31.01.2027",
    "something after it": f"sha256:{DIGEST}:read:2027-01-31:x",
}


async def allowed(settings: Settings, entries: str, token: str) -> frozenset[Access]:
    authority = build_verifier(settings.model_copy(update={"auth_tokens": SecretStr(entries)}))
    assert authority
    return await authority.access(token)


@pytest.mark.parametrize("between", [" ", ",", ", ", "\n"])
async def test_several_tokens_are_valid_at_once(settings: Settings, between: str) -> None:
    old, new = new_token("read", None), new_token("read+write", None)
    entries = f"{old[1]}{between}{new[1]}{between}"

    assert await allowed(settings, entries, old[0]) == {"read"}
    assert await allowed(settings, entries, new[0]) == {"read", "write"}
    with pytest.raises(InvalidToken):
        await allowed(settings, new[1], old[0])


async def test_a_token_is_valid_on_its_last_day_and_not_after_it(settings: Settings) -> None:
    today = now().date()
    valid, expired = new_token("read", today), new_token("read", today - timedelta(days=1))

    assert await allowed(settings, valid[1], valid[0]) == {"read"}
    with pytest.raises(InvalidToken):
        await allowed(settings, expired[1], expired[0])


async def test_the_hash_is_no_token(settings: Settings) -> None:
    _, entry = new_token("read", None)
    for text in (entry, entry.split(":")[1]):
        with pytest.raises(InvalidToken):
            await allowed(settings, entry, text)


@pytest.mark.parametrize("entry", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_entry_stops_the_start_and_is_not_repeated(
    settings: Settings, entry: str
) -> None:
    entries = f"{new_token('read', None)[1]} {entry}"
    with pytest.raises(InvalidSettings, match="AUTH_TOKENS: entry 2 ") as error:
        build_verifier(settings.model_copy(update={"auth_tokens": SecretStr(entries)}))

    assert entry not in str(error.value)


def test_the_entries_are_in_no_representation(settings: Settings) -> None:
    chosen = settings.model_copy(update={"auth_tokens": SecretStr(f"sha256:{DIGEST}:read")})

    assert DIGEST not in f"{chosen!r} {chosen} {build_verifier(chosen)!r}"


async def test_the_command_makes_a_token_and_its_entry(settings: Settings) -> None:
    run = app("token", "--read-only", "--expires", "2999-12-31")

    first, second = run.stdout.splitlines()
    token, entry = first.split()[-1], second.removeprefix("AUTH_TOKENS=")
    assert len(token) >= 43
    assert token not in second
    assert entry.endswith(":read:2999-12-31")
    assert await allowed(settings, entry, token) == {"read"}


@pytest.mark.parametrize("day", ["tomorrow", "2999-02-30", str(now().date() - timedelta(days=1))])
def test_the_last_day_is_one_to_come(day: str) -> None:
    with pytest.raises(typer.BadParameter, match="--expires"):
        day_to_come(day)
