"""The files of a feature, rendered from its specification by ``tools/templates``."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from email_validator import validate_email
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from names import APP, SpecificationError
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

KIT_TYPES = {
    "url": "Url",
    "email": "Email",
    "int": "Integer",
    "bool": "Flag",
    "date": "Date",
    "datetime": "Moment",
    "uuid": "Uuid",
}

SAMPLES = {
    "url": ('"https://example.com/?q=a%20b#top"', '"http://example.com/"'),
    "email": ('"ada@example.com"', '"bob@example.com"'),
    "bool": ("False", "True"),
    "date": ('"2026-11-27"', '"9999-12-31"'),
    "datetime": ('"2026-11-27T12:00:00.000Z"', '"1815-12-10T09:30:00.123Z"'),
    "uuid": (f'"{"0" * 8}-0000-4000-8000-{"0" * 12}"', '"ffffffff-ffff-4fff-8fff-ffffffffffff"'),
}
"""Two values of each type as JSON has them, written in Python."""


@dataclass(frozen=True)
class View:
    """A field as the templates see it; ``owner`` is the class that has it."""

    field: Field
    owner: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.field, name)

    @property
    def is_ref(self) -> bool:
        """Whether it refers to another feature."""
        return self.field.type == "ref"

    @property
    def alias(self) -> str:
        """The name of its type, where that says more than one of the kit's."""
        if self.field.type in ("text", "decimal", "enum", "ref") or self.field.arguments:
            return f"{self.owner}{_camel(self.field.name)}"
        return ""

    @property
    def type(self) -> str:
        """Its type, without whether it is optional."""
        words = self.field.arguments
        match self.field.type:
            case "text":
                return f"Annotated[str, Text({words[0] if words else 255})]"
            case "decimal":
                return f"Annotated[Decimal, Digits({words[0]}, {words[1]})]"
            case "enum":
                return f"Literal[{', '.join(map(json.dumps, words))}]"
            case "ref":
                return f'Annotated[Uuid, Ref("{words[0]}")]'
            case "int" if words:
                return f"Annotated[Integer, Field(ge={words[0]}, le={words[1]})]"
            case kind:
                return KIT_TYPES[kind]

    @property
    def annotation(self) -> str:
        """Its type where it is a field."""
        return (self.alias or self.type) + " | None" * self.field.optional

    @property
    def filter_annotation(self) -> str:
        """Its type as a parameter of the list, where all values are texts."""
        words = self.field.arguments
        match self.field.type:
            case "bool":
                return "bool | None"
            case "int":
                limits = words or (str(-(2**53) + 1), str(2**53 - 1))
                return f"Annotated[int | None, Query(ge={limits[0]}, le={limits[1]})]"
            case _:
                return f"{self.alias or self.type} | None"

    @property
    def target_path(self) -> str:
        """Where the resources are that it refers to."""
        return f"/{self.field.arguments[0].replace('_', '-')}"

    @property
    def default(self) -> str:
        """Its default as an expression of Python; empty without one."""
        if self.field.default is None:
            return "None" if self.field.optional else ""
        return self.python(self.field.default)

    def python(self, value: str) -> str:
        """Return a value of a specification as an expression of Python."""
        match self.field.type:
            case "int":
                return str(int(value))
            case "bool":
                return value.title()
            case "decimal":
                number = Decimal(value) + 0  # There is no -0.00.
                return f'Decimal("{number:.{self.field.arguments[1]}f}")'
            case "date":
                return f'date.fromisoformat("{value}")'
            case "datetime":
                time = datetime.fromisoformat(value).astimezone(UTC)
                return f'datetime.fromisoformat("{time.isoformat(timespec="milliseconds")}")'
            case "uuid" | "ref":
                return f'UUID("{UUID(value)}")'
            case "email":
                return json.dumps(validate_email(value, check_deliverability=False).normalized)
            case _:
                return json.dumps(value, ensure_ascii=False)

    @property
    def samples(self) -> tuple[str, str]:
        """Two of its values as JSON has them, written in Python; a reference has none."""
        words = self.field.arguments
        match self.field.type:
            case "text":
                length = int(words[0]) if words else None
                return json.dumps("one"[:length]), json.dumps("two"[:length])
            case "enum":
                return json.dumps(words[0]), json.dumps(words[-1])
            case "int":
                return (words[0], words[1]) if words else ("0", str(2**53 - 1))
            case "decimal":
                places = int(words[1])
                digits = "9" * (int(words[0]) - places) or "0"
                zero, nines = "0" * places, "9" * places
                return f'"0{"." * bool(places)}{zero}"', f'"{digits}{"." * bool(places)}{nines}"'
            case kind:
                return SAMPLES[kind]


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
    name = _camel(spec.singular)
    fields = [View(each, name) for each in spec.fields]
    words = spec.name.replace("_", " "), spec.singular.replace("_", " ")
    a_singular = f"{'an' if words[1][0] in 'aeiou' else 'a'} {words[1]}"
    return {
        "name": spec.name,
        "table": spec.name,
        "plural": words[0],
        "Plural": words[0].capitalize(),
        "singular": words[1],
        "a_singular": a_singular,
        "A_singular": a_singular[0].upper() + a_singular[1:],
        "Class": _camel(spec.singular),
        "Classes": _camel(spec.name),
        "CONSTANT": spec.singular.upper(),
        "CONSTANTS": spec.name.upper(),
        "var": spec.singular,
        "var_name": spec.singular,
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


def _camel(name: str) -> str:
    return "".join(map(str.capitalize, name.split("_")))


if __name__ == "__main__":  # What tools of another version made of the same specifications.
    made = (path.read_text(encoding="utf-8") for path in sorted(APP.glob(f"*/{FILE}")))
    print(json.dumps(render(*(Specification.parse(text, "made") for text in made))))
