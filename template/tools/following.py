"""Has the features that ``make feature`` made follow the tools: a newer version, other engines.

``tools`` at HEAD wrote what is there, perhaps before it was edited; ``tools`` as they are now say
what it is to be. So this can run again until all is committed.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from generator import render
from merge import write
from names import APP
from project import every, revisions
from repository import TemplateError, committed, paths
from specification import FILE, Specification
from texts import Change, changes

MIGRATIONS = APP / "migrations"
GENERATED = re.compile(r"(?:[0-9a-f]{12}|[0-9]{4})_(?:(add|change|remove)_)?(\w+)")


def follow() -> bool:
    """Merge what the tools write differently now; return whether there are no conflicts."""
    specs = every()
    after = render(*specs)
    before = _rendered_at_head() or after
    planned = [*changes(before, after)]
    outdated = [*_outdated_revisions(before, after, planned)]
    for change in planned:
        if change.wanted:
            change.execute()
    for path in outdated:
        path.unlink()
    _write_revisions(specs, before)
    yours = [each.path for each in planned if not each.wanted and str(each.path) in after]
    _show("These files of features were there already, and stay:", yours)
    conflicts = [each.path for each in planned if not each.clean]
    _show("Conflicts in features, between <<<<<<< and >>>>>>>, to resolve in:", conflicts)
    return not conflicts


def _rendered_at_head() -> dict[str, str] | None:
    """Return what the tools at HEAD make of the specifications at HEAD."""
    with TemporaryDirectory() as folder:
        write(committed(_is_for_rendering), Path(folder))
        command = [sys.executable, "tools/generator.py"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode:
        last_line = run.stderr.strip().rpartition("\n")[2]
        raise TemplateError(f"The features stay as they are; tools at HEAD: {last_line}")
    found: dict[str, str] | None = json.loads(run.stdout or "null")
    return found


def _is_for_rendering(name: str) -> bool:
    return name == "pyproject.toml" or name.startswith("tools/") or name.endswith(f"/{FILE}")


def _outdated_revisions(
    before: dict[str, str], after: dict[str, str], planned: list[Change]
) -> Iterator[Path]:
    """Yield the revisions of kinds of databases that are gone, if all of a kind were made here.

    Those of one kind form a line, which ends at the first that is missing.
    """
    gone = {change.path for change in planned if change.text is None and change.wanted}
    lost = {Path(path).stem for path in before.keys() - after.keys()}
    for kind in lost:
        modules = {Path(path) for path in before if Path(path).name == f"{kind}.py"}
        found = [*(MIGRATIONS / kind / "versions").glob("*.py")]
        if {module for module in modules if module.exists()} <= gone and _are_as_made(found):
            yield from found


def _are_as_made(found: list[Path]) -> bool:
    """Return whether all revisions are the generator's, and none was changed after its commit."""
    made = {path: GENERATED.fullmatch(path.stem) for path in found}
    names = {each.name for each in every()}
    names |= {match[2] for match in made.values() if match and match[1] == "remove"}
    edited = found and paths(
        "log", "--diff-filter=M", "--name-only", "--format=", "--", *map(str, found)
    )
    return not edited and all(match and match[2] in names for match in made.values())


def _write_revisions(specs: list[Specification], before: dict[str, str]) -> None:
    """Write the revisions for kinds of databases that are new."""
    for spec in specs:
        for path, text in revisions(None, spec).items():
            versions = Path(path).parent
            is_new = f"{APP / spec.name / versions.parent.name}.py" not in before
            if is_new and not any(versions.glob(f"*_add_{spec.name}.py")):
                Change(Path(path), text).execute()


def _show(title: str, found: list[Path]) -> None:
    if found:
        print(title, *sorted(map(str, found)), sep="\n    ")
