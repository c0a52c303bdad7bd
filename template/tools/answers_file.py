"""The answers that this project was generated with, in a file that only Copier writes."""

import os
import re
from hashlib import sha256
from pathlib import Path

from console import Refused
from repository import git

FILE = ".copier-answers.yml"
ADDRESS = "_src_path"  # Of the template; it may be changed by hand.
ADDRESS_LINE = re.compile(rf"^{ADDRESS}:.*\n(?: +.*\n)*", re.MULTILINE)
KNOWN = 50  # commits of the file, of which one has what Copier wrote


def read() -> str:
    """Return the file."""
    if not Path(FILE).exists():
        raise Refused(f"There is no {FILE}: was this project made by Copier?")
    return Path(FILE).read_text(encoding="utf-8", errors="replace")


def values(text: str) -> dict[str, str]:
    """Return the answers by the names of their questions, and what Copier adds to them."""
    lines = re.findall(r"^(\w+): *(.*(?:\n +.*)*)", text, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", value).strip().strip("'\"") for name, value in lines}


def answer(text: str, name: str) -> str:
    """Return one of them."""
    try:
        return values(text)[name]
    except KeyError:
        raise Refused(f"{FILE} has no {name}: was this project made by Copier?") from None


def last_written() -> str:
    """Return the file as Copier wrote it last, also if it was edited by hand."""
    if is_as_written(text := read()):
        return text
    for commit in git("rev-list", f"-n{KNOWN}", "HEAD", "--", FILE).decode().split():
        earlier = os.fsdecode(git("show", f"{commit}:./{FILE}", allowed=(0, 128)))
        if "Checksum: " in earlier and is_as_written(earlier):
            return earlier
    raise Refused(
        f"{FILE} was edited by hand, which changes nothing. Restore it from git,"
        " then use: make answer QUESTION=ANSWER"
    )


def refuse_edits() -> None:
    """Raise ``Refused`` if an answer was edited by hand."""
    present, written = read(), last_written()
    if present == written:
        return
    before, after = values(written), values(present)
    wanted = [f"{name}={after[name]!r}" for name in after if after[name] != before.get(name)]
    command = f"make answer {' '.join(wanted)}".replace("='", "=").replace("'", "")
    raise Refused(f"{FILE} was edited by hand, which changes nothing. Use: {command}")


def is_as_written(text: str) -> bool:
    """Return whether the file's checksum is right, or it is of a time without one."""
    found = re.search(r"^# Checksum: (\w+)", text, re.MULTILINE)
    kept = re.sub(r"^#.*\n", "", ADDRESS_LINE.sub("", text), flags=re.MULTILINE)
    return not found or found[1] == sha256(kept.encode()).hexdigest()


def moved(text: str, address: str) -> str:
    """Return the file with another address of the template."""
    quoted = address.replace("'", "''")
    return ADDRESS_LINE.sub(lambda _: f"{ADDRESS}: '{quoted}'\n", text)
