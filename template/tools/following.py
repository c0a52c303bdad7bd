"""Has the features that ``make feature`` made follow the tools: a newer version, other engines.

``tools`` at HEAD wrote what is there, perhaps before it was edited; ``tools`` as they are now say
what it is to be. So this can run again until all is committed.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from console import Refused, show
from generator import render
from merge import Files, write
from names import APP
from project import every, revisions
from repository import committed, paths
from specification import FILE, Specification
from worktree import delete, merge_generated

MIGRATIONS = APP / "migrations"
GENERATED = re.compile(r"(?:[0-9a-f]{12}|[0-9]{4})_(?:(add|change|remove)_)?(\w+)")


def follow() -> bool:
    """Merge what the tools write differently now; return whether there are no conflicts."""
    specs = every()
    after = render(*specs)
    before = _rendered_at_head() or after
    merged, own = merge_generated(before, after)
    kinds = {Path(name).stem for name in before.keys() - after.keys()}
    outdated = [path for kind in kinds for path in _outdated(kind, before, merged.removed)]
    delete([*merged.removed, *outdated])
    write(merged.written)
    _write_revisions(specs, before)
    show("These files of features were there already, and stay:", own & after.keys())
    show("Conflicts in features, between <<<<<<< and >>>>>>>, to resolve in:", merged.conflicts)
    return not merged.conflicts


def _rendered_at_head() -> Files:
    """Return what the tools at HEAD make of the specifications at HEAD."""
    with TemporaryDirectory() as folder:
        write(committed(_is_for_rendering), Path(folder))
        command = [sys.executable, "tools/generator.py"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode:
        last_line = run.stderr.strip().rpartition("\n")[2]
        raise Refused(f"The features stay as they are; tools at HEAD: {last_line}")
    return {name: text.encode() for name, text in json.loads(run.stdout or "{}").items()}


def _is_for_rendering(name: str) -> bool:
    return name == "pyproject.toml" or name.startswith("tools/") or name.endswith(f"/{FILE}")


def _outdated(kind: str, before: Files, removed: Files) -> list[str]:
    """Return the revisions of a kind of databases that is gone, if all were made here.

    They form a line, which ends at the first that is missing.
    """
    modules = {name for name in before if Path(name).name == f"{kind}.py"}
    found = [*(MIGRATIONS / kind / "versions").glob("*.py")]
    stay = [name for name in modules - removed.keys() if Path(name).exists()]
    return [] if stay or not _are_as_made(found) else [path.as_posix() for path in found]


def _are_as_made(found: list[Path]) -> bool:
    """Return whether all revisions are the generator's, and none was changed after its commit."""
    made = {path: GENERATED.fullmatch(path.stem) for path in found}
    names = {each.name for each in every()}
    names |= {match[2] for match in made.values() if match and match[1] == "remove"}
    edited = found and paths(
        "log", "--diff-filter=M", "--name-only", "--format=", "--", *map(str, found)
    )
    return not edited and all(match and match[2] in names for match in made.values())


def _write_revisions(specs: list[Specification], before: Files) -> None:
    """Write the revisions for kinds of databases that are new."""
    for spec in specs:
        for path, text in revisions(None, spec).items():
            versions = Path(path).parent
            module = Path(spec.path).with_name(f"{versions.parent.name}.py")
            is_new = module.as_posix() not in before
            if is_new and not any(versions.glob(f"*_add_{spec.name}.py")):
                write({path: text})
