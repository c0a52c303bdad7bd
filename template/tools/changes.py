"""What can become of a feature that has rows: what its old specification and a new one allow."""

from names import SpecificationError
from rules import MAX_INTEGER, MAX_TEXT
from specification import Field, Specification


def check_change(old: Specification, new: Specification) -> None:
    """Raise ``SpecificationError`` if rows may have no value of a field, or one it refuses."""
    before = {each.name: each for each in old.fields}
    for each in new.fields:
        problem = _changed(before[each.name], each) if each.name in before else _added(each)
        if problem:
            raise SpecificationError(f"{each.name}: {problem}")


def _added(field: Field) -> str:
    if field.optional and field.default is None:
        return ""
    if field.default is None:
        return "rows that are there would have no value: make it optional, or give a default"
    return "rows that are there would all have the default" if field.unique else ""


def _changed(old: Field, new: Field) -> str:
    if old.type != new.type or (old.type in ("decimal", "ref") and old.arguments != new.arguments):
        return f"{old.form} cannot become {new.form}: add another field, and drop this one later"
    if _is_narrower(old, new):
        return "rows that are there may break the narrower rule"
    if old.optional and not new.optional and new.default is None:
        return "rows that are there may have no value: give a default"
    return ""


def _is_narrower(old: Field, new: Field) -> bool:
    if old.type == "enum":
        return not set(old.arguments) <= set(new.arguments)
    low, high = _bounds(old)
    least, most = _bounds(new)
    return least > low or most < high


def _bounds(field: Field) -> tuple[int, int]:
    words = field.arguments
    if field.type == "int":
        return (int(words[0]), int(words[1])) if words else (-MAX_INTEGER, MAX_INTEGER)
    return 1, int(words[0]) if field.type == "text" and words else MAX_TEXT
