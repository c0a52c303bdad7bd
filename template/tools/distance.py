"""How far a project is from its template: newer releases, and edits of its files."""

import json
from difflib import unified_diff
from typing import Any

import answers_file as answers
from merge import Files
from releases import later, releases
from renders import rendered_now
from report import show
from repository import TemplateError, committed
from revisions import as_generated


def distance(text: str) -> dict[str, Any]:
    """Return the newer releases, and the template's files that were edited or deleted here."""
    address, version = answers.answer(text, answers.ADDRESS), answers.answer(text, "_commit")
    newer = later(releases(address), version)
    made = rendered_now(text)
    here = committed(lambda name: name in made)
    edits = {name: lines for name in sorted(here) if (lines := edited(name, made, here))}
    return {
        "template": address,
        "version": version,
        "newest": newer[-1] if newer else version,
        "newer": newer,
        "is_outdated": bool(newer),
        "files": len(made),
        "edited": edits,
        "deleted": sorted(made.keys() - here.keys()),
    }


def edited(name: str, made: Files, here: Files) -> dict[str, int]:
    """Return how many lines were added to a file and removed from it, if any."""
    old, new = as_generated(made[name]), as_generated(here[name])
    if old == new or name == answers.FILE:
        return {}
    before, after = (text.decode(errors="replace").splitlines() for text in (old, new))
    signs = [line[0] for line in unified_diff(before, after, n=0)][2:]
    return {"added": signs.count("+"), "removed": signs.count("-")}


def show_distance(form: str) -> bool:
    """Print it, for people or as JSON."""
    if form not in ("", "json"):
        raise TemplateError(f"{form}: there is no such format, only json.")
    found = distance(answers.last_written())
    if form:
        print(json.dumps(found, indent=2))
        return True
    print(f"The project is of version {found['version']}.")
    newer = len(found["newer"])
    if newer:
        print(f"The newest is {found['newest']}, {newer} later; `make update` takes it.")
    else:
        print("There is no newer one.")
    edits = [f"{name} +{n['added']} -{n['removed']}" for name, n in found["edited"].items()]
    show(f"Edited, of {found['files']} files of the template:", edits)
    show("Deleted:", found["deleted"])
    return True
