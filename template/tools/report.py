"""What a newer version, or another answer, has changed in a project, for its owner to read."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from pathlib import Path

import answers_file as answers
from change import Change
from console import show
from inspection import imports, module, settings
from names import APP
from repository import status
from revisions import VERSIONS, as_generated
from worktree import SAVED

MIGRATIONS = APP / "migrations"

Block = tuple[str, Collection[str]]


def show_change(changed: Change, before: str, asked: Collection[str] = ()) -> None:
    """Print what has changed: files, and what concerns those who deploy.

    Answers that were ``asked`` for are known to them.
    """
    for note in changed.notes:
        print(note)
    found = status("--untracked-files=all")
    for block in _files(changed, found):
        show(*block)
    to_deploy = [block for block in _to_deploy(changed, found, before, asked) if block[1]]
    if to_deploy:
        print("Before you deploy:")
    for block in to_deploy:
        show(*block)


def show_left(changed: Change) -> None:
    """Print what is left to do."""
    show("Removed files with your edits; copies are in:", changed.saved)
    renamed = [(name, changed.renamed.get(name)) for name in changed.merged.missed]
    show(
        "The template changed these files, which you renamed; nothing was changed in yours:",
        [f"{name} -> {other}" for name, other in renamed if other],
    )
    show("Your files import modules that are gone:", _stale_imports(changed))
    print(changed.features, end="")
    show("Conflicts, between <<<<<<< and >>>>>>>, to resolve in:", changed.merged.conflicts)


def _files(changed: Change, found: dict[str, str]) -> Iterator[Block]:
    conflicts, moved = changed.merged.conflicts, changed.merged.moved
    for title, letter in {"added": "?", "changed": "M", "removed": "D"}.items():
        names = {name for name, code in found.items() if letter in code}
        yield f"Files {title}:", names - conflicts.keys() - moved.keys() - set(moved.values())
    edited = {a for a in moved if as_generated(changed.mine[a]) != as_generated(changed.old[a])}
    yield "Files moved:", [f"{a} -> {moved[a]}" for a in moved.keys() - edited]
    yield "Files moved, with your edits:", [f"{a} -> {moved[a]}" for a in edited]


def _to_deploy(
    changed: Change, found: dict[str, str], before: str, asked: Collection[str]
) -> Iterator[Block]:
    brought = [name for name, code in found.items() if "?" in code and fnmatch(name, VERSIONS)]
    yield "Revisions, which `app migrate` applies:", brought
    yield "Revisions left out, as they are about what you removed:", changed.left_out
    old, new = settings(changed.old), settings(changed.new)
    yield "Settings that are new:", [f"{name}={new[name]}" for name in new.keys() - old.keys()]
    yield "Settings that are gone:", old.keys() - new.keys()
    other = [name for name in old.keys() & new.keys() if old[name] != new[name]]
    yield "Settings with another default:", [f"{n}={new[n]} (it was {old[n]})" for n in other]
    known, given = answers.values(before), answers.values(changed.answers)
    names = [n for n in given if n[0] != "_" and n not in asked and given[n] != known.get(n)]
    yield "Answers, which `make answer` changes:", [f"{name}={given[name]}" for name in names]


def _stale_imports(changed: Change) -> list[str]:
    """Return the owner's modules that import modules which the template removed, with these."""
    merged = changed.merged
    present = {module(name) for name in changed.new}
    removed = {module(name) for name in merged.removed if name.endswith(".py")}
    # A file that has changed too much to be found as moved has its old name in ``kit``.
    kit = {each: each.replace("app.", "app.kit.", 1) for each in removed}
    gone = {a: f" (now {b})" if b in present else "" for a, b in kit.items()}
    gone |= {module(a): f" (now {module(b)})" for a, b in merged.moved.items()}
    lost = gone.keys() - present
    own = changed.mine.keys() - changed.new.keys() - merged.removed.keys() - merged.moved.keys()
    found = {
        name: [each + gone[each] for each in sorted(imports(changed.mine[name]) & lost)]
        for name in own
        if name.endswith(".py") and Path(name).exists()  # A generated one may have gone, too.
    }
    return [f"{name}: {', '.join(modules)}" for name, modules in found.items() if modules]


class Engines:
    """The storage that the project has now, to compare it with what it has later."""

    def __init__(self) -> None:
        self.kinds, self.modules = kinds(), storage_modules()
        self.has_settings = Path(".env").exists()

    def show_work(self) -> None:
        """Print what is left to do for the owner's features."""
        copies = SAVED.rglob("*.saved")
        again = [path for path in copies if path.relative_to(SAVED).with_suffix("").exists()]
        show("These files exist again; copies with your earlier edits are in:", again)
        show("Your features need these modules now, like those of notes:", to_write(self.kinds))
        lost = self.modules - storage_modules()
        forms = (f"{APP}/**/{{}}*.py", f"{MIGRATIONS}/{{}}/versions/*.py", "tests/**/test_{}_*.py")
        show(
            "Your files for the old engine; delete those that you no longer need:",
            {path for name in lost for form in forms for path in Path().glob(form.format(name))},
        )
        if self.has_settings and self.modules != storage_modules():
            print("Set DATABASE_URL in .env to the new database, as in .env.example.")


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
