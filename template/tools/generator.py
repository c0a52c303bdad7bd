"""The files of a feature, rendered from its specification by ``tools/templates``."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console import Refused
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from merge import Files, read, write
from names import APP
from specification import FILE, Field, Specification

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)

LINE = 100

# The files are elsewhere while they are formatted, and lines that fit are not to stay split.
OPTIONS = (
    'lint.isort.known-first-party=["app","tests"]',
    "lint.isort.split-on-trailing-comma=false",
    "format.skip-magic-trailing-comma=true",
)

EXAMPLE = "notes"
"""A feature without a specification that others can refer to, unless the owner's has this name."""


@dataclass(frozen=True, kw_only=True)
class View(Field):
    """A field as the templates see it; ``alias`` is the name of its type, if the kit has none."""

    alias: str

    @property
    def annotation(self) -> str:
        """Its type where it is a field."""
        return (self.alias or self.type.annotation) + " | None" * self.optional

    @property
    def query(self) -> str:
        """Its type as a parameter of the list, where all values are texts."""
        match self.type.name, self.type.arguments:
            case "bool", _:
                return "bool | None"
            case "int", (low, high):
                return f"Annotated[int | None, Query(ge={low}, le={high})]"
        return f"{self.alias or self.type.annotation} | None"


def render(*specs: Specification) -> Files:
    """Return the files of features, as ``make format`` leaves them."""
    return formatted(rendered(*specs)) if specs else {}


def rendered(*specs: Specification) -> dict[str, str]:
    """Return their texts before they are formatted."""
    texts = {}
    for spec in specs:
        about = context(spec)
        texts[spec.path] = spec.text()
        for template in TEMPLATES.list_templates(["j2"]):
            folder = "tests" if template.startswith("tests/") else APP.as_posix()
            name = template.removeprefix("tests/").removesuffix(".j2").replace("NAME", spec.name)
            texts[f"{folder}/{spec.name}/{name}"] = TEMPLATES.get_template(template).render(about)
    return texts


def check_lines(files: Files) -> None:
    """Raise ``Refused`` for a line that the project's checks find too long."""
    for path, text in files.items():
        if path.endswith(".py") and any(len(line) > LINE for line in text.decode().splitlines()):
            reason = "use shorter names or defaults"
            raise Refused(f"{path} would have a line over {LINE} characters: {reason}")


def context(spec: Specification) -> dict[str, Any]:
    """Return what the templates may name."""
    plural, singular = spec.name.replace("_", " "), spec.singular.replace("_", " ")
    fields = [view(each, camel(spec.singular)) for each in spec.fields]
    a_singular = f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"
    return {
        "name": spec.name,
        "plural": plural,
        "singular": singular,
        "a_singular": a_singular,
        "Class": camel(spec.singular),
        "Classes": camel(spec.name),
        "var": spec.singular,
        "id": f"{spec.singular}_id",
        "path": f"/{spec.name.replace('_', '-')}",
        "fields": fields,
        "filters": [each for each in fields if each.filter],
        "unique": [each for each in fields if each.unique],
        "refs": [each for each in fields if each.target],
        "parents": spec.references,
    }


def view(field: Field, owner: str) -> View:
    """Return a field of a class as the templates see it."""
    is_of_kit = field.type.annotation.isidentifier()
    return View(**vars(field), alias="" if is_of_kit else f"{owner}{camel(field.name)}")


def camel(name: str) -> str:
    """Return a name in the form of classes."""
    return "".join(map(str.capitalize, name.split("_")))


def formatted(texts: dict[str, str]) -> Files:
    """Return files with these texts as the project's formatter writes them."""
    ruff = Path(sys.executable).with_name("ruff")
    with TemporaryDirectory() as folder:
        write({path: text.encode() for path, text in texts.items()}, Path(folder))
        config = [f"--config={option}" for option in ("pyproject.toml", *OPTIONS)]
        for command in (("check", "--fix-only", "--select=I,F401"), ("format",)):
            subprocess.run([ruff, *command, "--quiet", "--no-cache", *config, folder], check=True)
        return read(Path(folder))


if __name__ == "__main__":  # What tools of another version made of the same specifications.
    made = (path.read_text(encoding="utf-8") for path in sorted(APP.glob(f"*/{FILE}")))
    files = render(*(Specification.parse(text, "made") for text in made))
    print(json.dumps({path: text.decode() for path, text in files.items()}))
