"""JWTs of an OpenID Connect issuer: which are believed, and what happens while it is away."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import repeat
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.kit.auth import oidc, oidc_keys
from app.kit.auth.access import InvalidToken
from app.kit.auth.oidc import Issuer, build_verifier
from app.kit.errors import InvalidSettings, Unavailable
from app.settings import Settings
from tests.kit.commands import app, check_line
from tests.kit.probe.service import create_app
from tests.kit.support import check_problem, serving, url
from tests.kit.verifiers.oidc import AUDIENCE, Key, LocalIssuer, local_issuer, new_key

RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    "RS256": Key("k", "RS256", RSA),
    "PS384": Key("k", "PS384", RSA),
    "ES256": new_key("k"),
    "ES512": Key("k", "ES512", ec.generate_private_key(ec.SECP521R1())),
    "EdDSA": Key("k", "EdDSA", ed25519.Ed25519PrivateKey.generate()),
}
ALL = {"read", "write"}
HOUR = 3600

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://login.invalid"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "others"},
    "other audiences": {"aud": ["others", "notes2"]},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a number for a subject": {"sub": 1},
    "expired": {"exp": int(time.time()) - HOUR},
    "no expiry": {"exp": None},
    "an expiry that is no time": {"exp": "tomorrow"},
    "an expiry without end": {"exp": float("inf")},
    "not yet valid": {"nbf": int(time.time()) + HOUR},
    "issued later": {"iat": int(time.time()) + HOUR},
}
SCOPES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "scope": ({"scope": "app:read"}, {"read"}),
    "scp": ({"scope": None, "scp": "app:read app:write"}, ALL),
    "a list": ({"scope": None, "scp": ["app:write", 1, {}]}, {"write"}),
    "others": ({"scope": "openid profile app:reader"}, set()),
    "another case": ({"scope": "Notes:Read"}, set()),
    "empty": ({"scope": ""}, set()),
    "none": ({"scope": None}, set()),
    "a number": ({"scope": 1}, set()),
    "an object": ({"scope": {"app:read": True}}, set()),
}


def encoded(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


GARBAGE = {
    "no parts": "a",
    "three parts": "a.b.c",
    "five parts": "a.b.c.d.e",
    "only dots": "..",
    "no JSON": f"{encoded(b'{')}.{encoded({})}.",
    "not UTF-8": f"{encoded(bytes([255]))}.{encoded({})}.",
    "a list": f"{encoded([])}.{encoded({})}.",
    "a bomb": f"{encoded(b'[' * 4000)}.{encoded({})}.",
    "a huge number": f"{encoded(b'9' * 5000)}.{encoded({})}.",
    "a number for a key": f"{encoded({'alg': 'ES256', 'kid': 1})}.{encoded({})}.",
    "null for a key": f"{encoded({'alg': 'ES256', 'kid': None})}.{encoded({})}.",
    "no algorithm": f"{encoded({'kid': 'first'})}.{encoded({})}.",
    "a list of algorithms": f"{encoded({'alg': ['ES256'], 'kid': 'first'})}.{encoded({})}.",
    "an extension": f"{encoded({'alg': 'ES256', 'kid': 'first', 'crit': ['x'], 'x': 1})}.e30.",
}


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with local_issuer() as running:
        yield running


@pytest.fixture
def verifier(issuer: LocalIssuer) -> Issuer:
    return Issuer(issuer.url, AUDIENCE, {"read": "app:read", "write": "app:write"}, waiters=9)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
async def test_a_signed_token_is_believed(issuer: LocalIssuer, verifier: Issuer, key: Key) -> None:
    issuer.publish(new_key("other"), key)

    assert (await verifier.verify(key.sign(issuer.claims()))).access == ALL
    assert (await verifier.verify(key.sign(issuer.claims(aud=["x", AUDIENCE])))).access == ALL


@pytest.mark.parametrize("wrong", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
async def test_a_token_with_a_wrong_claim_is_not(
    issuer: LocalIssuer, verifier: Issuer, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(issuer.token(**wrong))


async def test_clocks_may_differ_a_little(issuer: LocalIssuer, verifier: Issuer) -> None:
    now = int(time.time())

    assert (await verifier.verify(issuer.token(exp=now - 10))).access == ALL
    assert (await verifier.verify(issuer.token(nbf=now + 10, iat=now + 10))).access == ALL


async def test_the_caller_is_the_subject(issuer: LocalIssuer, verifier: Issuer) -> None:
    caller = await verifier.verify(issuer.token(sub="grace", email="grace@example.com"))

    assert caller.subject == "grace"
    assert caller.claims["email"] == "grace@example.com"


async def test_scopes_are_a_setting(issuer: LocalIssuer) -> None:
    verifier = Issuer(issuer.url, AUDIENCE, {"read": "", "write": "notes.edit"}, waiters=9)

    assert (await verifier.verify(issuer.token(scope=None))).access == {"read"}
    assert (await verifier.verify(issuer.token(scope="app:write"))).access == {"read"}
    assert (await verifier.verify(issuer.token(scope="notes.edit"))).access == ALL


@pytest.mark.parametrize(("claims", "access"), SCOPES.values(), ids=SCOPES.keys())
async def test_scopes_say_what_a_token_allows(
    issuer: LocalIssuer, verifier: Issuer, claims: dict[str, Any], access: set[str]
) -> None:
    assert (await verifier.verify(issuer.token(**claims))).access == access


@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_is_no_token(verifier: Issuer, token: str) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
async def test_a_changed_token_is_not_believed(
    issuer: LocalIssuer, verifier: Issuer, part: int
) -> None:
    mine = issuer.token(scope="app:read").split(".")
    other = new_key("first").sign(issuer.claims(), typ="other").split(".")

    with pytest.raises(InvalidToken):
        await verifier.verify(".".join([*mine[:part], other[part], *mine[part + 1 :]]))


def signed_with_a_public_key(issuer: LocalIssuer) -> str:
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    algorithm = jwt.get_algorithm_by_name("HS256")
    head = encoded({"alg": "HS256", "kid": "k"}) + "." + encoded(issuer.claims())
    return f"{head}.{encoded(algorithm.sign(head.encode(), public))}"


CONFUSED: dict[str, Callable[[LocalIssuer], str]] = {
    "none": lambda issuer: jwt.encode(issuer.claims(), "", "none", {"kid": "k"}),
    "None": lambda issuer: f"{encoded({'alg': 'None', 'kid': 'k'})}.{encoded(issuer.claims())}.",
    "a public key as a secret": signed_with_a_public_key,
    "another algorithm of the key": lambda issuer: Key("k", "PS256", RSA).sign(issuer.claims()),
    "a published secret": lambda issuer: jwt.encode(
        issuer.claims(), "s" * 32, "HS256", {"kid": "secret"}
    ),
    "a key for encryption": lambda issuer: Key("enc", "RS256", RSA).sign(issuer.claims()),
    "a key in its header": lambda issuer: (mine := new_key("mine")).sign(
        issuer.claims(), jwk=mine.published()
    ),
    "a URL of keys in its header": lambda issuer: new_key("mine").sign(
        issuer.claims(), jku=f"{issuer.url}/mine"
    ),
}


@pytest.mark.parametrize("forge", CONFUSED.values(), ids=CONFUSED.keys())
async def test_a_token_cannot_choose_how_it_is_verified(
    issuer: LocalIssuer, verifier: Issuer, forge: Callable[[LocalIssuer], str]
) -> None:
    secret = {"kty": "oct", "kid": "secret", "alg": "HS256", "k": encoded(b"s" * 32)}
    for_encryption = Key("enc", "RS256", RSA).published() | {"use": "enc"}
    issuer.publish(KEYS["RS256"], secret, for_encryption)

    with pytest.raises(InvalidToken):
        await verifier.verify(forge(issuer))
    assert (await verifier.verify(KEYS["RS256"].sign(issuer.claims()))).access == ALL
    assert set(issuer.asked) == {"/.well-known/openid-configuration", "/keys"}


async def test_a_weak_key_is_not_believed(issuer: LocalIssuer, verifier: Issuer) -> None:
    weak = Key("weak", "RS256", rsa.generate_private_key(65537, 1024))
    issuer.publish(weak)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = weak.sign(issuer.claims())

    with pytest.raises(InvalidToken):
        await verifier.verify(token)


async def test_keys_are_fetched_again_when_a_token_names_a_new_one(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "PAUSE_SECONDS", 0)
    old, second = issuer.token(), new_key("second")
    assert (await verifier.verify(old)).access == ALL

    issuer.publish(issuer.key, second)
    assert (await verifier.verify(second.sign(issuer.claims()))).access == ALL
    assert (await verifier.verify(issuer.token(sub="grace"))).access == ALL


async def test_a_key_that_the_issuer_took_back_is_not_believed_when_it_is_old(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "PAUSE_SECONDS", 0)
    assert (await verifier.verify(issuer.token())).access == ALL
    issuer.publish(new_key("second"))
    assert (await verifier.verify(issuer.token(sub="grace"))).access == ALL

    monkeypatch.setattr(oidc_keys, "MAX_AGE_SECONDS", 0)
    await verifier.verify(issuer.token(sub="alan"))  # It is believed while the keys are fetched.
    with pytest.raises(InvalidToken):
        await verifier.verify(new_key("unknown").sign(issuer.claims()))  # It waits for them.
    with pytest.raises(InvalidToken):
        await verifier.verify(issuer.token(sub="joan"))


async def test_unknown_keys_do_not_make_the_issuer_work(
    issuer: LocalIssuer, verifier: Issuer
) -> None:
    for number in range(20):
        with pytest.raises(InvalidToken):
            await verifier.verify(new_key(f"{number}").sign(issuer.claims()))

    assert len(issuer.asked) == 2
    assert (await verifier.verify(issuer.token())).access == ALL


async def test_old_keys_are_fetched_again_and_kept_while_the_issuer_is_away(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(oidc_keys, "MAX_AGE_SECONDS", 0)
    assert (await verifier.verify(issuer.token())).access == ALL
    issuer.documents, documents = {}, issuer.documents

    with pytest.raises(Unavailable):
        await verifier.verify(new_key("unknown").sign(issuer.claims()))
    assert (await verifier.verify(issuer.token(sub="grace"))).access == ALL

    issuer.documents = documents
    with pytest.raises(InvalidToken):
        await verifier.verify(new_key("unknown").sign(issuer.claims()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://login.invalid"},
        {"jwks_uri": None},
        {"jwks_uri": "http://["},
    ],
    ids=["another name", "no keys", "no URL"],
)
async def test_an_issuer_that_is_not_right_is_as_if_away(
    issuer: LocalIssuer, verifier: Issuer, wrong: dict[str, Any]
) -> None:
    issuer.documents["/.well-known/openid-configuration"] |= wrong

    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())
    assert "/keys" not in issuer.asked


async def test_keys_are_not_fetched_by_plain_http_from_elsewhere(
    issuer: LocalIssuer, verifier: Issuer
) -> None:
    elsewhere = f"http://0.0.0.0:{issuer.server_port}/keys"  # It answers, but is not loopback.
    issuer.documents["/.well-known/openid-configuration"]["jwks_uri"] = elsewhere

    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())
    assert "/keys" not in issuer.asked


@pytest.mark.parametrize("keys", [[], {}, "keys", [1], [{"kty": "RSA"}]], ids=str)
async def test_documents_without_keys_are_as_if_away(
    issuer: LocalIssuer, verifier: Issuer, keys: object
) -> None:
    issuer.documents["/keys"] = {"keys": keys}

    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())


async def test_a_silent_issuer_is_not_waited_for_long(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "FETCH_SECONDS", 0.1)
    issuer.answering.clear()

    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await verifier.verify(issuer.token())


async def test_nobody_waits_for_keys_that_are_there(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await verifier.verify(issuer.token())).access == ALL
    for name, seconds in (("PAUSE", 0), ("MAX_AGE", 0), ("FETCH", HOUR)):
        monkeypatch.setattr(oidc_keys, f"{name}_SECONDS", seconds)
    issuer.answering.clear()

    async with asyncio.timeout(10):
        for number in range(20):
            assert (await verifier.verify(issuer.token(sub=f"{number}"))).access == ALL

    issuer.answering.set()
    with pytest.raises(InvalidToken):  # It waits for the current fetch.
        await verifier.verify(new_key("unknown").sign(issuer.claims()))


def test_strangers_who_name_other_keys_leave_places_to_others(
    settings: Settings, issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(oidc_keys, "FETCH_SECONDS", HOUR)
    chosen = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "max_concurrent_requests": 4}

    with (
        serving(create_app(settings.model_copy(update=chosen))) as address,
        ThreadPoolExecutor(16) as pool,
    ):

        def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx2.get(f"{address}/probe", headers=headers).status_code

        assert status(issuer.token()) == 200
        issuer.answering.clear()
        stranger = new_key("unknown").sign(issuer.claims())
        strangers = as_completed([pool.submit(status, stranger) for _ in range(16)])
        refused = [next(strangers).result() for _ in range(14)]
        known = [status(issuer.token(sub=f"{number}")) for number in range(20)]
        issuer.answering.set()

        assert set(refused) == {503}
        assert set(known) == {200}
        assert [each.result() for each in strangers] == [401, 401]


def dripping() -> Iterator[bytes]:
    while True:
        yield b" "
        time.sleep(0.01)


GREEDY: dict[str, object] = {
    "endless": lambda: repeat(b" " * 100_000),
    "dripping": dripping,
    "nested": lambda: iter([b'{"keys":' + b"[" * 100_000]),
    "a huge number": lambda: iter([b'{"keys":[' + b"9" * 100_000 + b"]}"]),
    "not UTF-8": lambda: iter([b"\xff{}"]),
    "nothing": lambda: iter([]),
    "many keys": {"keys": [new_key(f"{number}").published() for number in range(101)]},
    "a list for an id": {"keys": [new_key("k").published() | {"kid": ["k"]}]},
    "numbers for a key": {"keys": [{"kty": "RSA", "kid": "k", "n": 1, "e": 1}]},
    "a list": [],
    "a number": {"keys": 1},
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
@pytest.mark.parametrize("wrong", GREEDY.values(), ids=GREEDY.keys())
async def test_an_issuer_that_answers_too_much_is_as_if_away(
    issuer: LocalIssuer,
    verifier: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wrong: object,
    path: str,
) -> None:
    monkeypatch.setattr(oidc_keys, "FETCH_SECONDS", 0.5)
    issuer.documents[path] = wrong() if callable(wrong) else wrong

    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())

    (logged,) = (r.getMessage() for r in caplog.records if r.name == oidc_keys.__name__)
    assert "\n" not in logged
    assert len(logged) < 400
    assert issuer.written < 10_000_000


LOGIN = {
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://token.example.com/token",
}
NO_LOGIN: dict[str, dict[str, Any]] = {
    "away": {"issuer": None},
    "no endpoints": {},
    "not secure": LOGIN | {"token_endpoint": "http://token.example.com/token"},
    "more than a host": LOGIN | {"token_endpoint": "https://a.example.com;script-src *"},
}


def pages(settings: Settings, issuer: LocalIssuer, found: dict[str, Any]) -> list[httpx2.Response]:
    """Return the page with a client for logins, its document, and the service's own."""
    issuer.documents["/.well-known/openid-configuration"] |= found
    chosen = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "oidc_docs_client_id": "pages"}
    changed = settings.model_copy(update=chosen | {"root_path": "/team"})
    with serving(create_app(changed)) as address:
        paths = ("/docs", "/docs/openapi.json", "/openapi.json")
        return [httpx2.get(address + path) for path in paths]


def test_the_page_knows_where_people_sign_in(settings: Settings, issuer: LocalIssuer) -> None:
    page, shown, document = pages(settings, issuer, LOGIN)

    policy = page.headers["Content-Security-Policy"]
    assert "connect-src 'self' https://token.example.com;" in policy
    assert "window.location.origin + '/team/docs/oauth2-redirect'" in page.text
    assert '"clientId": "pages"' in page.text
    schemes = shown.json()["components"]["securitySchemes"]
    flow = schemes.pop("login")["flows"]["authorizationCode"]
    assert [flow["authorizationUrl"], flow["tokenUrl"]] == [*LOGIN.values()]
    assert schemes == document.json()["components"]["securitySchemes"]


@pytest.mark.parametrize("found", NO_LOGIN.values(), ids=NO_LOGIN.keys())
def test_the_page_has_no_login_where_none_is_known(
    settings: Settings, issuer: LocalIssuer, found: dict[str, Any]
) -> None:
    page, _, _ = pages(settings, issuer, found)

    assert page.status_code == 200
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]
    assert "clientId" not in page.text


async def test_redirects_are_not_followed(issuer: LocalIssuer, verifier: Issuer) -> None:
    issuer.status, issuer.headers["Location"] = 302, "/elsewhere"

    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())
    assert issuer.asked == ["/.well-known/openid-configuration"]


def test_while_the_issuer_is_away_it_is_503_and_then_it_recovers(
    settings: Settings, issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "PAUSE_SECONDS", 0)
    issuer.documents, documents = {}, issuer.documents
    chosen = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE}
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serving(create_app(settings.model_copy(update=chosen))) as address:
        away = httpx2.get(f"{address}/probe", headers=headers)
        check_problem(away, 503)
        assert away.headers["Retry-After"]
        assert httpx2.get(f"{address}/health/ready").status_code == 200

        issuer.documents = documents
        assert httpx2.get(f"{address}/probe", headers=headers).status_code == 200


async def test_a_verified_token_is_believed_for_a_while_but_not_after_its_end(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    token = issuer.token(exp=int(now) + 20)
    assert (await verifier.verify(token)).access == ALL

    monkeypatch.setattr(oidc, "LEEWAY_SECONDS", -30)  # A verification would now find it expired.
    assert (await verifier.verify(token)).access == ALL
    monkeypatch.setattr(time, "time", lambda: now + 21)
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


async def test_few_tokens_are_kept(
    issuer: LocalIssuer, verifier: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "MAX_CACHED", 2)
    tokens = [issuer.token(sub=f"{number}") for number in range(3)]
    for token in tokens:
        await verifier.verify(token)

    monkeypatch.setattr(oidc, "LEEWAY_SECONDS", -HOUR)
    assert (await verifier.verify(tokens[2])).access == ALL
    with pytest.raises(InvalidToken):
        await verifier.verify(tokens[0])


@pytest.mark.parametrize(
    ("issuer_name", "audience", "named"),
    [
        ("https://login.invalid", "", "OIDC_AUDIENCE"),
        ("", "notes", "OIDC_ISSUER"),
        ("http://login.invalid", "notes", "OIDC_ISSUER"),
        ("login.invalid", "notes", "OIDC_ISSUER"),
        ("ftp://127.0.0.1", "notes", "OIDC_ISSUER"),
        ("https://", "notes", "OIDC_ISSUER"),
    ],
    ids=["no audience", "no issuer", "no TLS", "no URL", "no HTTP", "no host"],
)
def test_half_a_configuration_stops_the_start(
    settings: Settings, issuer_name: str, audience: str, named: str
) -> None:
    chosen = {"oidc_issuer": issuer_name, "oidc_audience": audience}
    with pytest.raises(InvalidSettings, match=f"^{named}: "):
        build_verifier(settings.model_copy(update=chosen))


def test_the_command_says_what_is_missing_in_one_line(settings: Settings) -> None:
    run = app("serve", DATABASE_URL=url(settings), OIDC_ISSUER="https://login.invalid")

    check_line(run, "Error: OIDC_AUDIENCE: ")
