"""Tokens of ``AUTH_TOKENS``."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from app.kit.auth.token import ACCESS, new_token
from app.settings import Settings


@contextmanager
def with_tokens(settings: Settings) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Yield settings with the entries of three tokens, and the tokens by what they allow."""
    made = {access: new_token(access, None, "ada") for access in ACCESS}
    entries = SecretStr(" ".join(entry for _, entry in made.values()))
    tokens = {access: token for access, (token, _) in made.items()}
    yield settings.model_copy(update={"auth_tokens": entries}), tokens
