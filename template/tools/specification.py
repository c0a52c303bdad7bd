"""The specification of a feature: its names and its fields, as ``feature.toml`` keeps them."""

import re
import tomllib
from dataclasses import dataclass
from dataclasses import field as part

from console import Refused
from field_types import FORMS, TYPES
from kit_types import Type, quoted
from names import APP, check_field_name

FILE = "feature.toml"

FIELD = re.compile(
    r"(?P<name>[^:]*):(?P<type>\w+)(?:\((?P<arguments>[^()]*)\))?(?P<optional>\?)?"
    r"(?:=(?P<default>.*?))?(?P<options>(?::[a-z]+)*)"
)

MAX_INDEXED = 500  # characters of a text

NOT_OFFERED = {"json", "list", "array", "dict", "object", "set", "map", "many", "refs"}


@dataclass(frozen=True)
class Field:
    """A field; ``form`` is the rest of what was typed, as in ``enum(new,read)=new:filter``."""

    name: str
    form: str = part(compare=False)
    type: Type
    optional: bool
    default: str | None
    """As JSON or a query would have it, without quotes."""
    unique: bool
    filter: bool

    @classmethod
    def parse(cls, text: str) -> "Field":
        """Read ``name:type[(arguments)][?][=default][:unique][:filter]``."""
        if not (found := FIELD.fullmatch(text)):
            raise Refused(f"{text!r} is no field: write it as name:type, as in title:text")
        (name, form), options = text.split(":", 1), found["options"].split(":")[1:]
        if len(set(options)) < len(options) or not set(options) <= {"unique", "filter"}:
            raise Refused(f"{name}: a field may have :unique and :filter, once each")
        check_field_name(name)
        kind = _type(name, found["type"], found["arguments"])
        flags = "unique" in options, "filter" in options
        field = cls(name, form, kind, bool(found["optional"]), found["default"], *flags)
        field._check()
        return field

    def _check(self) -> None:
        is_long = self.type.name == "text" and self.type.arguments[0] > MAX_INDEXED
        if is_long and (self.unique or self.filter):
            reason = f"only texts of up to {MAX_INDEXED} characters can be unique or filter"
            raise Refused(f"{self.name}: {reason}")
        if self.default is not None and not self.type.accepts(self.default):
            form = self.form.partition("=")[0]
            raise Refused(f"{self.name}: the default {self.default!r} breaks the rule of {form}")

    @property
    def target(self) -> str:
        """The feature that it refers to, if it does."""
        return str(self.type.arguments[0]) if self.type.name == "ref" else ""

    @property
    def initial(self) -> str:
        """Its default as an expression of Python; empty without one."""
        if self.default is None:
            return "None" if self.optional else ""
        return self.type.python(self.default)


def _type(field: str, name: str, arguments: str | None) -> Type:
    """Return the type of a field, or raise ``Refused``."""
    if name in NOT_OFFERED:
        reason = "JSON columns, lists and many-to-many are not offered"
        instead = "make a feature that refers to this one instead"
        raise Refused(f"{field}: {name}: {reason}; {instead}")
    if name not in TYPES:
        known = ", ".join(TYPES)
        raise Refused(f"{field}: there is no type {name!r}, only {known}")
    words = () if arguments is None else (word.strip() for word in arguments.split(","))
    try:
        return TYPES[name](*words)
    except TypeError:
        raise Refused(f"{field}: {name}: {FORMS.get(name, 'it takes no arguments')}") from None
    except ValueError as error:
        raise Refused(f"{field}: {name}: {error}") from None


@dataclass(frozen=True)
class Specification:
    """A feature: the plural and the singular of its name, and its fields in their order."""

    name: str
    singular: str
    fields: tuple[Field, ...]

    @property
    def path(self) -> str:
        """The path of its file."""
        return f"{APP.as_posix()}/{self.name}/{FILE}"

    @property
    def references(self) -> list[str]:
        """The features that its fields refer to."""
        return sorted({each.target for each in self.fields} - {""})

    def text(self) -> str:
        """Return it as the text of a ``feature.toml``."""
        fields = "".join(f"{each.name} = {quoted(each.form)}\n" for each in self.fields)
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
            raise Refused(f"{FILE} cannot be read: {error}") from None
        if not isinstance(name, str) or not isinstance(singular, str):
            raise Refused(f"{FILE} cannot be read: its names are texts")
        return cls(name, singular, parse_fields(pairs))


def parse_fields(texts: list[str]) -> tuple[Field, ...]:
    """Read fields, at least one, each of another name."""
    fields = tuple(map(Field.parse, texts))
    names = [each.name for each in fields]
    if not fields:
        raise Refused('A feature needs a field: FIELDS="title:text"')
    for name in names:
        if names.count(name) > 1:
            raise Refused(f"{name}: two fields have this name")
    return fields
