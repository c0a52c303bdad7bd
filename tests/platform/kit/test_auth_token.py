"""Static tokens: making them, replacing them, and the days they live."""

from datetime import timedelta
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr

from app.kit.auth.access import InvalidToken
from app.kit.auth.token import build_verifier, new_token
from app.kit.auth.token_command import future_day, subject, token
from app.kit.caller import Access, Caller
from app.kit.environment import read_dotenv
from app.kit.errors import InvalidSettings
from app.kit.ids import now
from app.settings import Settings
from tests.kit.commands import app

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
    "an empty name": f"=sha256:{DIGEST}:read",
    "a name with a colon": f"a:b=sha256:{DIGEST}:read",
    "a long name": f"{'a' * 65}=sha256:{DIGEST}:read",
    "something after it": f"sha256:{DIGEST}:read:2027-01-31:x",
}


async def allowed(settings: Settings, entries: str, token: str) -> frozenset[Access]:
    return (await caller(settings, entries, token)).access


async def caller(settings: Settings, entries: str, token: str) -> Caller:
    verifier = build_verifier(settings.model_copy(update={"auth_tokens": SecretStr(entries)}))
    assert verifier
    return await verifier.verify(token)


@pytest.mark.parametrize("between", [" ", ",", ", ", "\n"])
async def test_several_tokens_are_valid_at_once(settings: Settings, between: str) -> None:
    old, new = new_token("read", None), new_token("read+write", None)
    entries = f"{old[1]}{between}{new[1]}{between}"

    assert await allowed(settings, entries, old[0]) == {"read"}
    assert await allowed(settings, entries, new[0]) == {"read", "write"}
    with pytest.raises(InvalidToken):
        await allowed(settings, new[1], old[0])


@pytest.mark.parametrize("name", ["ada", "ada@example.com", "billing-2", "a" * 64])
async def test_an_entry_names_its_caller(settings: Settings, name: str) -> None:
    token, entry = new_token("read", now().date(), name)

    assert (await caller(settings, entry, token)).subject == name


async def test_tokens_without_names_are_different_callers(settings: Settings) -> None:
    one, other = new_token("read", None), new_token("read", None)
    entries = f"{one[1]} {other[1]}"

    subjects = {(await caller(settings, entries, token)).subject for token, _ in (one, other)}
    assert len(subjects) == 2
    assert "" not in subjects


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
    run = app("token", "--read-only", "--expires", "2999-12-31", "--name", "ada")

    first, second = run.stdout.splitlines()
    token, entry = first.split()[-1], second.removeprefix("AUTH_TOKENS=")
    assert len(token) >= 43
    assert token not in second
    assert entry.startswith("ada=sha256:")
    assert entry.endswith(":read:2999-12-31")
    assert await allowed(settings, entry, token) == {"read"}


def test_a_token_needs_no_name() -> None:
    run = app("token")

    assert (run.returncode, run.stderr) == (0, "")
    assert "AUTH_TOKENS=sha256:" in run.stdout


def test_one_is_added_to_the_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("AUTH_TOKENS=\nPORT=8080")

    for _ in range(2):
        token(once=True)

    made = read_dotenv()
    assert made["PORT"] == "8080"
    assert capsys.readouterr().out.count(made["AUTH_TOKENS"]) == 1


@pytest.mark.parametrize("day", ["tomorrow", "2999-02-30", str(now().date() - timedelta(days=1))])
def test_the_last_day_is_one_to_come(day: str) -> None:
    with pytest.raises(typer.BadParameter, match="--expires"):
        future_day(day)


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a=b", "a:b", "a" * 65])
def test_a_name_fits_into_an_entry(name: str) -> None:
    with pytest.raises(typer.BadParameter, match="--name"):
        subject(name)
