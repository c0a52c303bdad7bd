"""The files of a feature, rendered from its specification by ``tools/templates``."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from names import APP, SpecificationError
from specification import FILE, Specification
from view import View, camel

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


def render(*specs: Specification) -> dict[str, str]:
    """Return the texts of features' files by their paths, as ``make format`` leaves them."""
    return formatted(rendered(*specs)) if specs else {}


def rendered(*specs: Specification) -> dict[str, str]:
    """Return the same before they are formatted."""
    texts = {}
    for spec in specs:
        about = context(spec)
        texts[str(APP / spec.name / FILE)] = spec.text()
        for template in TEMPLATES.list_templates(["j2"]):
            name = template.removesuffix(".j2")
            texts[path_of(name, spec.name)] = TEMPLATES.get_template(template).render(about)
    return texts


def check_lines(texts: dict[str, str]) -> None:
    """Raise ``SpecificationError`` for a line that the project's checks find too long."""
    for path, text in texts.items():
        if path.endswith(".py") and max(map(len, text.splitlines()), default=0) > LINE:
            reason = "use shorter names or defaults"
            raise SpecificationError(f"{path} would have a line over {LINE} characters: {reason}")


def path_of(template: str, feature: str) -> str:
    """Return the path of what a template, named without its suffix, makes."""
    if template.startswith("tests/"):
        name = template.removeprefix("tests/").replace("test.py", f"test_{feature}.py")
        return f"tests/{feature}/{name}"
    return str(APP / feature / template)


def context(spec: Specification) -> dict[str, Any]:
    """Return what the templates may name."""
    name = camel(spec.singular)
    fields = [View(each, name) for each in spec.fields]
    words = spec.name.replace("_", " "), spec.singular.replace("_", " ")
    a_singular = f"{'an' if words[1][0] in 'aeiou' else 'a'} {words[1]}"
    return {
        "name": spec.name,
        "plural": words[0],
        "Plural": words[0].capitalize(),
        "singular": words[1],
        "a_singular": a_singular,
        "A_singular": a_singular[0].upper() + a_singular[1:],
        "Class": camel(spec.singular),
        "Classes": camel(spec.name),
        "CONSTANT": spec.singular.upper(),
        "CONSTANTS": spec.name.upper(),
        "var": spec.singular,
        "id": f"{spec.singular}_id",
        "path": f"/{spec.name.replace('_', '-')}",
        "fields": fields,
        "filters": any(each.field.filter for each in fields),
        "unique": any(each.field.unique for each in fields),
        "refs": [each for each in fields if each.is_ref],
        "parents": sorted({each.arguments[0] for each in fields if each.is_ref} - {spec.name}),
        "example": "" if (APP / EXAMPLE / FILE).exists() else EXAMPLE,
    }


def formatted(texts: dict[str, str]) -> dict[str, str]:
    """Return texts as the project's formatter writes them."""
    ruff = Path(sys.executable).with_name("ruff")
    with TemporaryDirectory() as folder:
        for path, text in texts.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text, encoding="utf-8")
        config = [f"--config={option}" for option in ("pyproject.toml", *OPTIONS)]
        for command in (("check", "--fix-only", "--select=I,F401"), ("format",)):
            subprocess.run([ruff, *command, "--quiet", "--no-cache", *config, folder], check=True)
        return {path: (Path(folder) / path).read_text(encoding="utf-8") for path in texts}


if __name__ == "__main__":  # What tools of another version made of the same specifications.
    made = (path.read_text(encoding="utf-8") for path in sorted(APP.glob(f"*/{FILE}")))
    print(json.dumps(render(*(Specification.parse(text, "made") for text in made))))
