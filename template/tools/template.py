"""Takes a newer version of the template into this project, or changes its database engine.

``make update`` and ``make switch`` run it, in the project's folder. Both are ``copier update``, a
three-way merge into the working tree, with what that leaves to people: it refuses to mix with work
that is not committed, keeps edits of files that go, keeps revisions in one line, names every
conflict, and then exits with 1.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from copier import VcsRef, run_recopy, run_update
from copier.errors import CopierError

ANSWERS = ".copier-answers.yml"
SAVED = Path("saved")
APP = Path("src/app")
MIGRATIONS = APP / "migrations"

REVISION = re.compile(r"^revision\b.*= *[\"'](.+)[\"']", re.MULTILINE)
DOWN_REVISION = re.compile(r"^(down_revision\b.*= *)[\"'](.+)[\"']", re.MULTILINE)


class TemplateError(Exception):
    """What was asked for cannot be done; nothing was changed."""


def git(*arguments: str) -> str:
    """Return what git prints, or raise ``TemplateError``."""
    run = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if run.returncode:
        first_line = run.stderr.strip().partition("\n")[0]
        raise TemplateError(f"git: {first_line}")
    return run.stdout


def paths(*arguments: str) -> list[str]:
    """Return the paths that git prints, as seen from here."""
    return git(*arguments, "-z").split("\0")[:-1]


def answer(name: str) -> str:
    """Return an answer that the project was generated with."""
    found = re.search(f"^{name}: (.+)$", Path(ANSWERS).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise TemplateError(f"{ANSWERS} has no {name}: was this project made by Copier?")
    return found[1].strip("'\"")


def update() -> bool:
    """Take the template's newest version; return whether nothing is left to merge by hand."""
    before = answer("_commit")
    saved = merge(defaults=not sys.stdin.isatty(), skip_answered=True)
    if answer("_commit") == before and not git("status", "--porcelain"):
        print(f"The project is up to date: {before}.")
        return True
    print(f"Updated from {before} to {answer('_commit')}.")
    follow_own_revisions()
    return report(saved)


def switch(engine: str) -> bool:
    """Change the engine, at the same version; return whether nothing is left to merge by hand."""
    before = answer("database")
    if engine == before:
        raise TemplateError(f"The project is for {engine} already.")
    had = kinds()
    saved = merge(defaults=True, data={"database": engine}, vcs_ref=VcsRef.CURRENT)
    print(f"Switched from {before} to {engine}.")
    follow_own_revisions()
    show("These are back, and you had changed them; what you had made of them:", saved_before())
    show("Your features need these now, written as those of notes are:", to_write(kinds() - had))
    show(
        "These of yours are for the old engine; delete what you need no more:",
        useless(had - kinds()),
    )
    if Path(".env").exists():
        print("DATABASE_URL in .env still names the old database; .env.example has the new form.")
    return report(saved)


def merge(**arguments: Any) -> list[Path]:
    """Have Copier merge, and return the copies of edited files that it removed."""
    if git("status", "--porcelain"):
        raise TemplateError("There are changes that are not committed: commit or stash them first.")
    try:
        run_update(overwrite=True, quiet=True, **arguments)
    except (CopierError, OSError, ValueError) as error:
        last_line = str(error).strip().splitlines()[-1]
        raise TemplateError(last_line.removeprefix("Stderr:").lstrip(" |")) from None
    gone = paths("diff", "--relative", "--no-renames", "--name-only", "--diff-filter=D", "HEAD")
    return save_edited(gone) if gone else []


def save_edited(gone: list[str]) -> list[Path]:
    """Write the files that are not as the template had made them to ``SAVED``."""
    saved = []
    with TemporaryDirectory() as folder:
        Path(folder, ANSWERS).write_text(git("show", f"HEAD:./{ANSWERS}"), encoding="utf-8")
        run_recopy(folder, vcs_ref=VcsRef.CURRENT, defaults=True, overwrite=True, quiet=True)
        for name in gone:
            text, made = git("show", f"HEAD:./{name}"), Path(folder, name)
            if not made.exists() or text != made.read_text(encoding="utf-8"):
                saved.append(SAVED / f"{name}.saved")
                saved[-1].parent.mkdir(parents=True, exist_ok=True)
                saved[-1].write_text(text, encoding="utf-8")
    return saved


def follow_own_revisions() -> None:
    """Put new revisions of the template after those that the project has on the same one.

    A database that has the project's revision then gets the new one, and there is one head.
    """
    own, new = {}, {}
    committed = set(paths("ls-files"))
    for path in MIGRATIONS.glob("*/versions/*.py"):
        text = path.read_text(encoding="utf-8")
        revision, down = REVISION.search(text), DOWN_REVISION.search(text)
        if revision and down:
            if str(path) in committed:
                own[down[2]] = revision[1]
            else:
                new[path] = down[2]
    for path, down_revision in new.items():
        last = down_revision
        while last in own:
            last = own[last]
        if last != down_revision:
            text = path.read_text(encoding="utf-8")
            path.write_text(DOWN_REVISION.sub(rf'\1"{last}"', text), encoding="utf-8")
            print(f"{path} now follows your revision {last}.")


def kinds() -> set[str]:
    """Return the kinds of database that the project has repositories and revisions for."""
    return {path.parent.name for path in MIGRATIONS.glob("*/__init__.py")}


def to_write(gained: set[str]) -> list[Path]:
    """Return the modules that features lack on the project's engine, and what they need there."""
    features = [path.parent for path in APP.glob("*/routes.py")]
    modules = [f / f"{kind}.py" for f in features for kind in gained]
    lacking = [path for path in modules if not path.exists()]
    return lacking + [MIGRATIONS / kind / "versions" for kind in gained if lacking]


def useless(lost: set[str]) -> list[Path]:
    """Return the project's own files that are for an engine it no longer has."""
    modules = [path for kind in lost for path in APP.glob(f"*/{kind}.py")]
    return modules + [p for kind in lost for p in MIGRATIONS.glob(f"{kind}/versions/*.py")]


def saved_before() -> list[Path]:
    """Return the copies, of earlier times, of files that are there again."""
    copies = SAVED.rglob("*.saved")
    return [path for path in copies if path.relative_to(SAVED).with_suffix("").exists()]


def report(saved: list[Path]) -> bool:
    """Print what is left to do, and return whether nothing is to be merged by hand."""
    conflicts = paths("diff", "--relative", "--name-only", "--diff-filter=U")
    show("Removed, with edits of yours; they are kept in:", saved)
    show("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", conflicts)
    print("Look at it with `git status`, try it with `make check test`, then commit it.")
    print("To go back instead: `git reset --hard && git clean -d --force`.")
    return not conflicts


def show(title: str, names: list[Any]) -> None:
    """Print a list under its title, if there is anything in it."""
    if names:
        print(title, *sorted(map(str, names)), sep="\n    ")


def main() -> None:
    """Run the command; a failure is one line, and exit code 1."""
    parser = argparse.ArgumentParser(description="Update the project, or switch its engine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("update", help="take the template's newest version")
    commands.add_parser("switch", help="change the engine").add_argument("engine")
    options = parser.parse_args()
    try:
        sys.exit(0 if (update() if options.command == "update" else switch(options.engine)) else 1)
    except (TemplateError, OSError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
