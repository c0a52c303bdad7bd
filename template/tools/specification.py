"""The specification of a feature: its names and its fields, as ``feature.toml`` keeps them."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass

from names import SpecificationError, check_field_name
from rules import FORMS, TYPES

FILE = "feature.toml"

FIELD = re.compile(
    r"(?P<name>[^:]*):(?P<type>\w+)(?:\((?P<arguments>[^()]*)\))?(?P<optional>\?)?"
    r"(?:=(?P<default>.*?))?(?P<options>(?::[a-z]+)*)"
)

MAX_INDEXED = 500  # characters of a text

NOT_OFFERED = {"json", "list", "array", "dict", "object", "set", "map", "many", "refs"}


@dataclass(frozen=True)
class Field:
    """A field; ``default`` is written as JSON or a query would have it, without quotes."""

    name: str
    type: str
    arguments: tuple[str, ...] = ()
    optional: bool = False
    default: str | None = None
    unique: bool = False
    filter: bool = False

    @classmethod
    def parse(cls, text: str) -> "Field":
        """Read ``name:type[(arguments)][?][=default][:unique][:filter]``."""
        if not (found := FIELD.fullmatch(text)):
            raise SpecificationError(
                f"{text!r} is no field: write it as name:type, as in title:text"
            )
        options = found["options"].split(":")[1:]
        if len(set(options)) < len(options) or not set(options) <= {"unique", "filter"}:
            raise SpecificationError(
                f"{found['name']}: a field may have :unique and :filter, once each"
            )
        arguments = tuple(part.strip() for part in (found["arguments"] or "").split(","))
        made = cls(
            found["name"],
            found["type"],
            () if found["arguments"] is None else arguments,
            found["optional"] is not None,
            found["default"],
            "unique" in options,
            "filter" in options,
        )
        made.check()
        return made

    @property
    def form(self) -> str:
        """The field without its name, as in ``enum(new,read)=new:filter``."""
        arguments = f"({','.join(self.arguments)})" if self.arguments else ""
        default = "" if self.default is None else f"={self.default}"
        options = ":unique" * self.unique + ":filter" * self.filter
        return f"{self.type}{arguments}{'?' * self.optional}{default}{options}"

    def check(self) -> None:
        """Raise ``SpecificationError`` unless such a field can be made."""
        check_field_name(self.name)
        if self.type in NOT_OFFERED:
            reason = (
                "JSON columns, lists and many-to-many are not offered; make a feature that refers"
            )
            raise SpecificationError(f"{self.name}: {self.type}: {reason} to this one instead")
        if self.type not in TYPES:
            known = ", ".join(TYPES)
            raise SpecificationError(f"{self.name}: there is no type {self.type!r}, only {known}")
        try:
            parse = TYPES[self.type](*self.arguments)
        except (TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, ValueError) else FORMS[self.type]
            raise SpecificationError(f"{self.name}: {self.type}: {reason}") from None
        is_long = self.type == "text" and int((*self.arguments, "1")[0]) > MAX_INDEXED
        if is_long and (self.unique or self.filter):
            reason = f"only texts of up to {MAX_INDEXED} characters can be unique or filter"
            raise SpecificationError(f"{self.name}: {reason}")
        if self.default is not None:
            self._check_default(parse)

    def _check_default(self, parse: Callable[[str], object]) -> None:
        try:
            parse(self.default or "")
        except (ValueError, ArithmeticError):
            rule = f"the default {self.default!r} breaks the rule of {self.form.partition('=')[0]}"
            raise SpecificationError(f"{self.name}: {rule}") from None


@dataclass(frozen=True)
class Specification:
    """A feature: the plural and the singular of its name, and its fields in their order."""

    name: str
    singular: str
    fields: tuple[Field, ...]

    @property
    def references(self) -> set[str]:
        """The features that its fields refer to."""
        return {each.arguments[0] for each in self.fields if each.type == "ref"}

    def text(self) -> str:
        """Return it as the text of a ``feature.toml``."""
        fields = "".join(
            f"{each.name} = {json.dumps(each.form, ensure_ascii=False)}\n" for each in self.fields
        )
        return (
            f"# After a change of its fields: make feature NAME={self.name}\n"
            f'name = "{self.name}"\nsingular = "{self.singular}"\n\n[fields]\n{fields}'
            f"\n# What the code was made from; `make feature` writes it.\n[made]\n{fields}"
        )

    @classmethod
    def parse(cls, text: str, table: str = "fields") -> "Specification":
        """Read a ``feature.toml``; of its table ``made``, what the code was made from."""
        try:
            found = tomllib.loads(text)
            name, singular, fields = found["name"], found["singular"], found[table]
            pairs = [f"{field}:{form}" for field, form in fields.items()]
        except (tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
            raise SpecificationError(f"{FILE} cannot be read: {error}") from None
        if not isinstance(name, str) or not isinstance(singular, str):
            raise SpecificationError(f"{FILE} cannot be read: its names are texts")
        return cls(name, singular, parse_fields(pairs))


def parse_fields(texts: list[str]) -> tuple[Field, ...]:
    """Read fields, at least one, each of another name."""
    fields = tuple(map(Field.parse, texts))
    names = [each.name for each in fields]
    if not fields:
        raise SpecificationError('A feature needs a field: FIELDS="title:text"')
    for name in names:
        if names.count(name) > 1:
            raise SpecificationError(f"{name}: two fields have this name")
    return fields


def singular_of(name: str, given: str) -> str:
    """Return the singular: the one given, or the plural without a trailing ``s``."""
    singular = given or name.removesuffix("s")
    if singular == name:
        raise SpecificationError(f"{name}: give its singular, as in SINGULAR=shelf; it differs")
    return singular
