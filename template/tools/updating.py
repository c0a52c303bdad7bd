"""Takes a newer version of the template into this project, or changes an answer.

Copier renders the version that the project has and the one that it is to have; their difference is
merged into the working tree. Edits of removed files are kept, revisions stay in one line, and
conflicts are listed, with exit code 1. With ``DRY_RUN`` nothing is written.
"""

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import answers_file as answers
from change import Change, change
from copier import VcsRef
from distance import show_distance
from engines import Engines
from releases import changelog, later, releases, sections
from report import show_change, show_left
from repository import TemplateError, announce, refuse_unfinished_work, status

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
            raise TemplateError(f"{name}: there is no such question, only {', '.join(questions)}.")
        if known[name] == value:
            raise TemplateError(f"{name} is {value} already.")
    engines = Engines()
    target = {"data": wanted, "vcs_ref": VcsRef.CURRENT}
    with change(text, is_update=False, is_dry=is_dry, **target) as changed:
        if not changed:
            raise TemplateError("These are the answers already.")
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
        raise TemplateError("Say which: make answer ci=none")
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
def one_line_errors(is_merging: bool) -> Iterator[None]:
    """Raise ``TemplateError`` for any failure, with the way back if something was merged."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(way_back() if is_merging else "") from None
    except Exception as error:  # Copier raises many kinds.
        said = str(error).rpartition("Stderr:")[2]  # Git's message, if git failed.
        one_line, back = re.sub(r"[\s|]+", " ", said).strip(), way_back() if is_merging else ""
        raise TemplateError(f"{one_line.rstrip('.')}.{back}" if back else one_line) from None


def way_back() -> str:
    """Return how to go back, if anything was merged."""
    return f" It is merged in part; to go back: {GO_BACK}." if status() else ""


def run(command: str, engine: str | None) -> bool:
    """Run a command; return whether there are no conflicts."""
    is_dry, is_merging = bool(os.environ.get("DRY_RUN")), command != "outdated"
    if is_merging:
        refuse_unfinished_work()
    with one_line_errors(is_merging):
        if command == "outdated":
            return show_distance(os.environ.get("FORMAT", ""))
        if command == "update":
            return update(os.environ.get("TEMPLATE", ""), is_dry=is_dry)
        wanted = {"database": engine} if engine else given()
        if "example" in wanted:  # Revisions of it stay, so it takes one more that drops its data.
            reason = "`make remove NAME=notes` takes it out; to have it back, revert that commit."
            raise TemplateError(f"example: {reason}")
        return change_answers(wanted, is_dry=is_dry)


def main() -> bool:
    """Run the command of the command line; return whether there are no conflicts."""
    parser = argparse.ArgumentParser(description="Update the project, or change its answers.")
    parser.add_argument("command", choices=["update", "switch", "answer", "outdated"])
    parser.add_argument("engine", nargs="?")
    options = parser.parse_args()
    return run(options.command, options.engine)
