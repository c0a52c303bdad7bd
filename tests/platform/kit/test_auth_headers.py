"""Headers that hold no valid token, and paths that only resemble public ones."""

from collections.abc import Iterator

import pytest

from app.kit.auth.access import InvalidToken
from app.kit.auth.middleware import bearer_token
from app.settings import Settings
from tests.kit.authorized import Protected, check_refused, serving
from tests.kit.support import check_problem

NO_TOKEN = {
    "no header": [],
    "an empty header": [b""],
    "another scheme": [b"Basic dXNlcjpwYXNz"],
    "no scheme": [b"dXNlcjpwYXNz"],
    "a longer scheme": [b"Bearers dXNlcjpwYXNz"],
    "a tab after the scheme": [b"Bearer\ta"],
    "two of another scheme": [b"Basic dXNlcjpwYXNz", b"Basic dXNlcjpwYXNz"],
}
BAD_TOKENS = {
    "empty": [b"Bearer"],
    "unknown": [b"Bearer dXNlcjpwYXNz"],
    "not ASCII": ["Bearer t\u00f6ken".encode()],
    "not UTF-8": [b"Bearer \xff\xfe"],
    "two words": [b"Bearer a b"],
    "a list": [b"Bearer a, Bearer b"],
    "quoted": [b'Bearer "a"'],
    "only padding": [b"Bearer ="],
    "long": [b"Bearer " + b"a" * 8_000],
    "too long": [b"Bearer " + b"a" * 12_000],
    "dots": [b"Bearer .."],
}


@pytest.fixture(scope="module")
def protected(settings: Settings) -> Iterator[Protected]:
    with serving(settings) as service:
        yield service


@pytest.mark.parametrize("sent", NO_TOKEN.values(), ids=NO_TOKEN.keys())
def test_without_a_token_it_is_401(protected: Protected, sent: list[bytes]) -> None:
    headers = [(b"Authorization", value) for value in sent]

    check_refused(protected.client.get("/probe", headers=headers), 401, "Bearer")
    check_refused(protected.client.post("/probe", headers=headers), 401, "Bearer")


@pytest.mark.parametrize("sent", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_token_that_is_none_is_401(protected: Protected, sent: list[bytes]) -> None:
    headers = [(b"Authorization", value) for value in sent]
    challenge = 'Bearer error="invalid_token"'

    check_refused(protected.client.get("/probe", headers=headers), 401, challenge)
    check_refused(protected.client.post("/probe", headers=headers), 401, challenge)


@pytest.mark.parametrize("other", [None, b"Bearer a", b"Basic dXNlcjpwYXNz"])
def test_two_headers_are_401_even_with_a_valid_token(
    protected: Protected, other: bytes | None
) -> None:
    valid = f"Bearer {protected.tokens['read']}".encode()
    for pair in ((valid, other or valid), (other or valid, valid)):
        headers = [(b"Authorization", value) for value in pair]
        answer = protected.client.get("/probe", headers=headers)
        check_refused(answer, 401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_a_token_with_one_more_letter_is_401(protected: Protected, place: str) -> None:
    valid = protected.tokens["read+write"]
    at = {"start": 0, "middle": 20, "end": len(valid)}[place]
    headers = {"Authorization": f"Bearer {valid[:at]}A{valid[at:]}"}

    answer = protected.client.get("/probe", headers=headers)

    check_refused(answer, 401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("after", [" x", ",", ", Bearer x", "\tx", "==x"])
def test_a_token_with_something_after_it_is_401(protected: Protected, after: str) -> None:
    headers = {"Authorization": f"Bearer {protected.tokens['read']}{after}"}

    answer = protected.client.get("/probe", headers=headers)

    check_refused(answer, 401, 'Bearer error="invalid_token"')


def test_a_header_of_over_8_kib_is_not_looked_at() -> None:
    fits = b"a" * (8 * 1024 - len("Bearer "))

    assert bearer_token({"headers": [(b"authorization", b"Bearer " + fits)]}) == fits.decode()
    with pytest.raises(InvalidToken):
        bearer_token({"headers": [(b"authorization", b"Bearer " + fits + b"a")]})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_case(protected: Protected, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {protected.tokens['read']}"}

    assert protected.client.get("/probe", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/docsx", "/healthy", "/Docs", "//docs", "/nothing"])
def test_what_only_resembles_a_public_path_is_not(protected: Protected, path: str) -> None:
    address = protected.client.base_url.copy_with(raw_path=path.encode())

    check_refused(protected.client.get(address), 401, "Bearer")


@pytest.mark.parametrize("path", ["/docs/%2e%2e/probe", "/health/%2e%2e/probe", "/docs/%2fprobe"])
def test_no_way_leads_through_a_public_path(protected: Protected, path: str) -> None:
    address = protected.client.base_url.copy_with(raw_path=path.encode())

    check_problem(protected.client.get(address), 404)
