"""Takes a newer version of the template into this project, or changes an answer.

Copier renders the version that the project has and the one that it is to have; their difference is
merged into the working tree. Edits of removed files are kept, revisions stay in one line, and
conflicts are listed, with exit code 1. With ``DRY_RUN`` nothing is written.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import answers_file as answers
from change import Change, change
from console import Refused, announce
from copier import VcsRef
from releases import changelog, later, releases, sections, show_distance
from report import Engines, show_change, show_left
from repository import refuse_unfinished_work, status

GO_BACK = "`git restore --staged --worktree . && git clean -d --force .`"


def update(address: str, *, is_dry: bool) -> bool:
    """Take the template's newest version; return whether there are no conflicts."""
    answers.refuse_edits()
    text = answers.read()
    present, known = answers.answer(text, "_commit"), answers.answer(text, answers.ADDRESS)
    answers.answer(text, "database")  # Without it, Copier would take the default one.
    address = address or known
    announce(f"Looking for a newer version than {present}.")
    tags = releases(address)
    newer = later(tags, present)
    ref = newer[-1] if newer else VcsRef.CURRENT if tags else None
    news = sections(changelog(address, newer[-1]), present, newer[-1]) if newer else ""
    text = text if address == known else answers.moved(text, address)
    with change(text, is_update=True, is_dry=is_dry, vcs_ref=ref) as changed:
        if not changed:
            print(f"The project is up to date: {present}.")
            return True
        print(f"Updated from {present} to {answers.answer(changed.answers, '_commit')}.")
        show_change(changed, text)
        if news:
            print(f"The changelog says:\n\n{news}\n")
        return finish(changed, is_dry=is_dry)


def change_answers(wanted: dict[str, str], *, is_dry: bool) -> bool:
    """Change answers, at the same version; return whether there are no conflicts."""
    text = answers.last_written()
    known = answers.values(text)
    questions = [name for name in known if not name.startswith("_")]
    for name, value in wanted.items():
        if name not in questions:
            raise Refused(f"{name}: there is no such question, only {', '.join(questions)}.")
        if known[name] == value:
            raise Refused(f"{name} is {value} already.")
    engines = Engines()
    target = {"data": wanted, "vcs_ref": VcsRef.CURRENT}
    with change(text, is_update=False, is_dry=is_dry, **target) as changed:
        if not changed:
            raise Refused("These are the answers already.")
        for name, value in wanted.items():
            print(f"Changed {name} from {known[name]} to {value}.")
        show_change(changed, text, wanted)
        engines.show_work()
        return finish(changed, is_dry=is_dry)


def given() -> dict[str, str]:
    """Return the answers among the variables that make was given, as they were typed."""
    words = re.findall(r"(?:\\.|[^\s\\])+", os.environ.get("MAKEFLAGS", ""), re.DOTALL)
    typed = [re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL).replace("$$", "$") for word in words]
    pairs = [word.split("=", 1) for word in typed if re.match(r"[A-Za-z_]\w*=", word)]
    wanted = {name: value for name, value in pairs if not name.isupper()}
    if not wanted:
        raise Refused("Say which: make answer ci=none")
    if "example" in wanted:  # Revisions of it stay, so it takes one more that drops its data.
        reason = "`make remove NAME=notes` takes it out; to have it back, revert that commit."
        raise Refused(f"example: {reason}")
    return wanted


def finish(changed: Change, *, is_dry: bool) -> bool:
    """Print what is left to do; return whether there are no conflicts."""
    show_left(changed)
    if is_dry:
        print("This was a dry run: nothing is written.")
    else:
        print("Look at it with `git status`, try it with `make check test`, then commit it.")
        print(f"To go back instead: {GO_BACK}.")
    return changed.is_finished


@contextmanager
def way_back() -> Iterator[None]:
    """Have an error say how to go back, if anything was merged until then."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if status():
            error.add_note(f" It is merged in part; to go back: {GO_BACK}.")
        raise


def main() -> bool:
    """Run the command of the command line; return whether there are no conflicts."""
    is_dry = bool(os.environ.get("DRY_RUN"))
    words = [word for word in sys.argv[1:] if word != "--"]
    if words == ["outdated"]:
        return show_distance(os.environ.get("FORMAT", ""))
    refuse_unfinished_work()
    with way_back():
        match words:
            case ["update"]:
                return update(os.environ.get("TEMPLATE", ""), is_dry=is_dry)
            case ["switch", engine]:
                return change_answers({"database": engine}, is_dry=is_dry)
            case ["answer"]:
                return change_answers(given(), is_dry=is_dry)
    raise Refused("The commands are update, switch ENGINE, answer and outdated.")
