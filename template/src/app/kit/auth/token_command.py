"""The command that makes a bearer token."""

import re
from datetime import date
from typing import Annotated

import typer

from app.kit.auth.token import NAME, new_token
from app.kit.environment import add_to_dotenv, read_dotenv
from app.kit.ids import now


def future_day(text: str) -> date:
    """Return a day written as 2027-01-31; a day in the past is refused."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day < now().date():
        raise typer.BadParameter("--expires takes a day to come, as in 2027-01-31.")
    return day


def subject(text: str) -> str:
    """Return the name of a caller; a malformed one is refused."""
    if not re.fullmatch(NAME, text):
        raise typer.BadParameter("--name takes up to 64 letters, digits and . _ @ -")
    return text


def token(
    read_only: Annotated[bool, typer.Option("--read-only", help="It allows reading only.")] = False,
    expires: Annotated[
        date | None, typer.Option(parser=future_day, metavar="DAY", help="Its last day, in UTC.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(parser=subject, metavar="NAME", help="Who has it, for the routes.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Only if .env has none; the entry goes there.")
    ] = False,
) -> None:
    """Make a bearer token, and its entry for AUTH_TOKENS."""
    if once and read_dotenv().get("AUTH_TOKENS"):
        return
    secret, entry = new_token("read" if read_only else "read+write", expires, name or "")
    if once:
        add_to_dotenv("AUTH_TOKENS", entry)
    typer.echo(f"The token, which is shown this once: {secret}\nAUTH_TOKENS={entry}")


COMMANDS = (token,)
