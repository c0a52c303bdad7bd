"""Takes a newer version of the template into this project, or changes its database engine.

``make update`` and ``make switch`` run it in the project's folder. Both run ``copier update``, a
three-way merge into the working tree. In addition, this tool refuses to lose work, keeps edits of
removed files, keeps revisions in one line, and lists every conflict; then it exits with 1.
"""

import argparse
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from copier import VcsRef
from merge import ANSWERS, SAVED, merge
from repository import (
    TemplateError,
    error_line,
    leave_other_repositories,
    paths,
    refuse_unfinished_work,
    status,
)
from revisions import follow_own

APP = Path("src/app")
MIGRATIONS = APP / "migrations"
GO_BACK = "`git reset --hard && git clean -d --force`"


def answer(name: str) -> str:
    """Return an answer that the project was generated with."""
    text = Path(ANSWERS).read_text(encoding="utf-8", errors="replace")
    found = re.search(f"^{name}: (.+)$", text, re.MULTILINE)
    if not found:
        raise TemplateError(f"{ANSWERS} has no {name}: was this project made by Copier?")
    return found[1].strip("'\"")


def update() -> bool:
    """Take the template's newest version; return whether there are no conflicts."""
    before = answer("_commit")
    answer("database")  # Without it, Copier would take the default one.
    saved = merge({}, defaults=not sys.stdin.isatty(), skip_answered=True)
    if answer("_commit") == before and not status():
        print(f"The project is up to date: {before}.")
        return True
    print(f"Updated from {before} to {answer('_commit')}.")
    return report(saved)


def switch(engine: str) -> bool:
    """Change the engine, at the same version; return whether there are no conflicts."""
    before = answer("database")
    if engine == before:
        raise TemplateError(f"The project is for {engine} already.")
    had_kinds, had_modules = kinds(), storage_modules()
    saved = merge({"data": {"database": engine}, "vcs_ref": VcsRef.CURRENT}, defaults=True)
    print(f"Switched from {before} to {engine}.")
    show("These files exist again; copies with your earlier edits are in:", saved_before())
    show("Your features need these modules now, like those of notes:", to_write(had_kinds))
    show(
        "Your files for the old engine; delete those that you no longer need:",
        useless(had_modules - storage_modules()),
    )
    if Path(".env").exists():
        print("Set DATABASE_URL in .env to the new database, as in .env.example.")
    return report(saved)


def kinds() -> set[str]:
    """Return the kinds of database that the project has repositories and revisions for."""
    return {path.parent.name for path in APP.glob("kit/migrations/*/__init__.py")}


def storage_modules() -> set[str]:
    """Return the names of the modules that are for an engine, or for a kind of database."""
    return {path.stem for path in APP.glob("kit/storage/*.py")}


def to_write(had: set[str]) -> list[Path]:
    """Return the modules that features need for the new engine, and the folders of revisions."""
    kept = {path.parent for kind in had for path in APP.glob(f"*/{kind}.py")}
    features = [path.parent for path in APP.glob("*/routes.py") if path.parent in kept]
    modules = [feature / f"{kind}.py" for feature in features for kind in kinds()]
    lacking = [path for path in modules if not path.exists()]
    return lacking + [MIGRATIONS / kind / "versions" for kind in {path.stem for path in lacking}]


def useless(lost: set[str]) -> set[Path]:
    """Return the owner's files for storage that the project no longer has."""
    forms = (f"{APP}/**/{{}}*.py", f"{MIGRATIONS}/{{}}/versions/*.py", "tests/**/test_{}_*.py")
    return {path for name in lost for form in forms for path in Path().glob(form.format(name))}


def saved_before() -> list[Path]:
    """Return earlier copies of files that exist again."""
    copies = SAVED.rglob("*.saved")
    return [path for path in copies if path.relative_to(SAVED).with_suffix("").exists()]


def report(saved: list[Path]) -> bool:
    """Print what is left to do; return whether there are no conflicts."""
    for line in follow_own(set(paths("ls-files"))):
        print(line)
    conflicts = paths("diff", "--relative", "--name-only", "--diff-filter=U")
    show("Removed files with your edits; copies are in:", saved)
    show("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", conflicts)
    print("Look at it with `git status`, try it with `make check test`, then commit it.")
    print(f"To go back instead: {GO_BACK}.")
    return not conflicts


def show(title: str, names: Collection[Path] | Collection[str]) -> None:
    """Print a list under its title, if there is anything in it."""
    if names:
        print(title, *sorted(map(str, names)), sep="\n    ")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Raise ``TemplateError`` for any failure, with the way back if something was merged."""
    try:
        yield
    except KeyboardInterrupt:
        raise TemplateError(f"Interrupted.{way_back()}") from None
    except Exception as error:  # Copier raises many kinds.
        said = str(error).rpartition("Stderr:")[2]  # Git's message, if git failed.
        one_line = re.sub(r"[\s|]+", " ", said).strip()
        raise TemplateError(f"{one_line}{way_back()}") from None


def way_back() -> str:
    """Return how to go back, if anything was merged."""
    return f" It is merged in part; to go back: {GO_BACK}." if status() else ""


def main() -> None:
    """Run the command; a failure is one line, and exit code 1."""
    parser = argparse.ArgumentParser(description="Update the project, or switch its engine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("update", help="take the template's newest version")
    commands.add_parser("switch", help="change the engine").add_argument("engine")
    options = parser.parse_args()
    leave_other_repositories()
    try:
        refuse_unfinished_work()
        with one_line_errors():
            finished = update() if options.command == "update" else switch(options.engine)
    except (TemplateError, OSError) as error:
        sys.exit(error_line(error))
    sys.exit(0 if finished else 1)


if __name__ == "__main__":
    main()
