"""Writes a specification into a ``feature.toml`` that its owner may have edited."""

import json
import re

from specification import Specification

TABLE = re.compile(r"^[ \t]*\[(\w+)\][^\n]*\n", re.MULTILINE)
FIELD = re.compile(r"""[ \t]*["']?(\w+)["']?[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|'[^']*')""")


def updated(present: str, spec: Specification, *, with_fields: bool) -> str:
    """Return the file with what the code is made from now; the owner's comments stay.

    Without ``with_fields``, the fields stay as the owner wrote them, too.
    """
    tables = {"made", "fields"} if with_fields else {"made"}
    heads = [match[0] for match in TABLE.finditer(present)]
    text, *parts = TABLE.split(present)  # What is above the tables, then their names and texts.
    for head, name, body in zip(heads, parts[::2], parts[1::2], strict=True):
        text += head + (_table(body, spec) if name in tables else body)
    return text


def _table(body: str, spec: Specification) -> str:
    """Return the lines of a table, in the order of the fields, each below its comments."""
    lines: dict[str, str] = {}
    above = ""
    for line in body.splitlines(keepends=True):
        above += line
        if found := FIELD.match(line):
            lines[found[1]], above = above, ""
    text = ""
    for field in spec.fields:
        value = json.dumps(field.form, ensure_ascii=False)
        *comments, last = lines.get(field.name, f"{field.name} = {value}\n").splitlines(True)
        if found := FIELD.match(last):
            last = last[: found.start(2)] + value + last[found.end(2) :]
        text += "".join(comments) + last
    return text + above
