"""What an owner's features have and need when the project's engine changes."""

from pathlib import Path

from report import show
from worktree import SAVED

APP = Path("src/app")
MIGRATIONS = APP / "migrations"


class Engines:
    """The storage that the project has now, to compare it with what it has later."""

    def __init__(self) -> None:
        self.kinds, self.modules = kinds(), storage_modules()
        self.has_settings = Path(".env").exists()

    def show_work(self) -> None:
        """Print what is left to do for the owner's features."""
        show("These files exist again; copies with your earlier edits are in:", saved_before())
        show("Your features need these modules now, like those of notes:", to_write(self.kinds))
        show(
            "Your files for the old engine; delete those that you no longer need:",
            useless(self.modules - storage_modules()),
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


def useless(lost: set[str]) -> set[Path]:
    """Return the owner's files for storage that the project no longer has."""
    forms = (f"{APP}/**/{{}}*.py", f"{MIGRATIONS}/{{}}/versions/*.py", "tests/**/test_{}_*.py")
    return {path for name in lost for form in forms for path in Path().glob(form.format(name))}


def saved_before() -> list[Path]:
    """Return earlier copies of files that exist again."""
    copies = SAVED.rglob("*.saved")
    return [path for path in copies if path.relative_to(SAVED).with_suffix("").exists()]
