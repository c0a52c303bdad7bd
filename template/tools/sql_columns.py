"""The columns, constraints and indexes of features' tables, as revisions make them."""

from specification import Field, Specification


def create(spec: Specification) -> list[str]:
    """Return what makes the table of a feature, with its indexes."""
    table = spec.name
    unique = ["idempotency_key", *(each.name for each in spec.fields if each.unique)]
    parts = [
        'sa.Column("id", sa.Uuid(), nullable=False)',
        *(column(each, is_nullable=each.optional) for each in spec.fields),
        'sa.Column("version", sa.Integer(), nullable=False)',
        'sa.Column("created_at", sa.DateTime(timezone=True), nullable=False)',
        'sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False)',
        'sa.Column("idempotency_key", sa.String(length=255), nullable=True)',
        'sa.Column("content_sha256", sa.String(length=64), nullable=True)',
        *(
            f'sa.ForeignKeyConstraint(["{each.name}"], ["{each.target}.id"],'
            f' name=op.f("fk_{table}_{each.name}_{each.target}"))'
            for each in spec.fields
            if each.target
        ),
        f'sa.PrimaryKeyConstraint("id", name=op.f("pk_{table}"))',
        *(f'sa.UniqueConstraint("{name}", name=op.f("uq_{table}_{name}"))' for name in unique),
    ]
    return [f'op.create_table("{table}", {", ".join(parts)},)', *indexes(spec).values()]


def indexes(spec: Specification) -> dict[str, str]:
    """Return what makes the indexes of a table, by their names."""
    names = {f"ix_{spec.name}_{f.name}": f.name for f in spec.fields if f.filter or f.target}
    return {
        index: f'op.create_index(op.f("{index}"), "{spec.name}", ["{name}", "id"])'
        for index, name in names.items()
    }


def constraints(spec: Specification) -> dict[str, str]:
    """Return what makes the constraints of fields in a batch, by the arguments that drop them."""
    found = {}
    for each in spec.fields:
        if each.target:
            name = f"fk_{spec.name}_{each.name}_{each.target}"
            found[f'"{name}", type_="foreignkey"'] = (
                f'create_foreign_key("{name}", "{each.target}", ["{each.name}"], ["id"])'
            )
        if each.unique:
            name = f"uq_{spec.name}_{each.name}"
            call = f'create_unique_constraint("{name}", ["{each.name}"])'
            found[f'"{name}", type_="unique"'] = call
    return found


def column(field: Field, *, is_nullable: bool) -> str:
    """Return the column of a field."""
    return f'sa.Column("{field.name}", {sql_type(field)}, nullable={is_nullable})'


def sql_type(field: Field) -> str:
    """Return the type of a field's column, as ``app.kit.sql`` makes it from the models."""
    match field.type.name, field.type.arguments:
        case "text", (length,):
            return f"sa.String(length={length})"
        case "int", (low, high):
            return "sa.Integer()" if low > -(2**31) and high < 2**31 else "sa.BigInteger()"
        case "decimal", (precision, scale):
            return f"sa.Numeric(precision={precision}, scale={scale})"
    return SQL_TYPES[field.type.name]


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
