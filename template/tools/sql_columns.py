"""The columns, constraints and indexes of features' tables, as revisions make them."""

from specification import Field, Specification
from view import View


def create(spec: Specification) -> list[str]:
    """Return what makes the table of a feature, with its indexes."""
    table = spec.name
    parts = [
        'sa.Column("id", sa.Uuid(), nullable=False)',
        *(column(each) for each in spec.fields),
        'sa.Column("version", sa.Integer(), nullable=False)',
        'sa.Column("created_at", sa.DateTime(timezone=True), nullable=False)',
        'sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False)',
        'sa.Column("idempotency_key", sa.String(length=255), nullable=True)',
        'sa.Column("content_sha256", sa.String(length=64), nullable=True)',
        *(_reference(table, each) for each in spec.fields if each.type == "ref"),
        f'sa.PrimaryKeyConstraint("id", name=op.f("pk_{table}"))',
        *(_unique(table, name) for name in ("idempotency_key", *_names_of_unique(spec))),
    ]
    return [
        f'op.create_table("{table}", {", ".join(parts)},)',
        *(
            f'op.create_index(op.f("ix_{table}_{each.name}"), "{table}", {columns})'
            for each in spec.fields
            if (columns := index_of(each))
        ),
    ]


def _reference(table: str, field: Field) -> str:
    columns = f'["{field.name}"], ["{field.arguments[0]}.id"]'
    return f'sa.ForeignKeyConstraint({columns}, name=op.f("{foreign_key(table, field)}"))'


def _unique(table: str, name: str) -> str:
    return f'sa.UniqueConstraint("{name}", name=op.f("uq_{table}_{name}"))'


def _names_of_unique(spec: Specification) -> list[str]:
    return [each.name for each in spec.fields if each.unique]


def index_of(field: Field) -> str:
    """Return the columns of the index that a field has, if any."""
    return f'["{field.name}", "id"]' if field.filter or field.type == "ref" else ""


def foreign_key(table: str, field: Field) -> str:
    """Return the name of the constraint of a reference."""
    return f"fk_{table}_{field.name}_{field.arguments[0]}"


def column(field: Field, *, is_nullable: bool = False) -> str:
    """Return the column of a field."""
    return f'sa.Column("{field.name}", {sql_type(field)}, nullable={field.optional or is_nullable})'


def sql_type(field: Field) -> str:
    """Return the type of a field's column, as ``app.kit.sql`` makes it from the models."""
    words = field.arguments
    match field.type:
        case "text":
            return f"sa.String(length={words[0] if words else 255})"
        case "int":
            small = words and max(abs(int(words[0])), abs(int(words[1]))) < 2**31
            return "sa.Integer()" if small else "sa.BigInteger()"
        case "decimal":
            return f"sa.Numeric(precision={words[0]}, scale={words[1]})"
        case kind:
            return SQL_TYPES[kind]


SQL_TYPES = {
    "url": "Ascii(length=2000)",
    "email": "sa.String(length=254)",
    "bool": "sa.Boolean()",
    "date": "sa.Date()",
    "datetime": "sa.DateTime(timezone=True)",
    "uuid": "sa.Uuid()",
    "ref": "sa.Uuid()",
    "enum": "sa.String(length=64)",
}


def python(field: Field) -> str:
    """Return the default of a field as an expression of Python."""
    return View(field).python(field.default or "")
