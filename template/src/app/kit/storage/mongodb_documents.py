"""Documents and their rules, derived from the fields of dataclasses."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as core

from app.kit.attributes import Attribute, attributes, references
from app.kit.storage.mongodb import Document
from app.kit.storage.mongodb_types import FIRST_UUID, KINDS, LAST_UUID, Rule

T = TypeVar("T")


class BrokenDocument(Exception):
    """The document of this id breaks the rules."""


class Documents(Generic[T]):
    """The documents of a dataclass, and of the dataclasses in it.

    ``rules`` are a filter and a validator of MongoDB; ``fields`` is the projection that is read.
    Other fields of a document are kept, and not read.
    """

    def __init__(self, model: type[T], id_name: str = "_id") -> None:
        self._object = _Object(model, id_name)
        self._read = SchemaValidator(self._object.schema()).validate_python
        outside = ({"$lt": FIRST_UUID}, {"$gt": LAST_UUID})
        foreign = [{path: ids} for path in self._object.uuids() if path != "_id" for ids in outside]
        self.rules: Document = {"$jsonSchema": self._object.rule()}
        if foreign:
            self.rules["$nor"] = foreign
        self.fields = self._object.projection()
        self.references = references(model)

    def read(self, document: Document) -> T:
        """Return the resource of a document, or raise ``BrokenDocument`` if it breaks the rules.

        To check them in each query would be twice the work for MongoDB; here it costs almost
        nothing.
        """
        try:
            found: T = self._read(document)
        except ValidationError:
            raise BrokenDocument(document.get("_id")) from None
        return found

    def write(self, resource: Any) -> Document:
        """Return the document of a resource."""
        return self._object.write(resource)

    def values(self, values: Mapping[str, Any]) -> Document:
        """Return the values of some fields in the form of documents."""
        return {name: self._object.fields[name].write(value) for name, value in values.items()}


class _Object:
    """A dataclass as an object of BSON; its ``id`` has another name at the top of a document."""

    def __init__(self, model: type, id_name: str = "id") -> None:
        self._model = model
        self.fields = {
            id_name if each.name == "id" else each.name: _Field(each) for each in attributes(model)
        }

    def rule(self) -> Rule:
        required = [name for name, field in self.fields.items() if not field.attribute.has_default]
        properties = {name: field.rule() for name, field in self.fields.items()}
        return {"bsonType": "object", "required": required, "properties": properties}

    def schema(self) -> CoreSchema:
        arguments = [
            core.dataclass_field(field.attribute.name, field.schema(), validation_alias=name)
            for name, field in self.fields.items()
        ]
        return core.dataclass_schema(
            self._model,
            core.dataclass_args_schema(self._model.__name__, arguments),
            [field.attribute.name for field in self.fields.values()],
            slots=hasattr(self._model, "__slots__"),
        )

    def projection(self) -> Document:
        return {
            name: field.inner.projection() if field.inner else 1
            for name, field in self.fields.items()
        }

    def uuids(self) -> Iterator[str]:
        """Yield the paths of all UUIDs."""
        for name, field in self.fields.items():
            if field.inner:
                yield from (f"{name}.{path}" for path in field.inner.uuids())
            elif field.attribute.type is UUID:
                yield name

    def write(self, resource: Any) -> Document:
        found = {}
        for name, field in self.fields.items():
            value = getattr(resource, field.attribute.name)
            if value is not None or not field.is_left_out:
                found[name] = field.write(value)
        return found


class _Field:
    """A field of such an object; one that has a default may be missing.

    One that is an object itself is left out rather than null, so that a sparse index can skip it.
    """

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute
        self.inner = None if attribute.type in KINDS else _Object(attribute.type)
        self.is_left_out = self.inner is not None and attribute.has_default
        self._write = self.inner.write if self.inner else KINDS[attribute.type].write

    def rule(self) -> Rule:
        each = self.attribute
        rule = self.inner.rule() if self.inner else KINDS[each.type].rule(each)
        if each.is_list:
            rule = {"bsonType": "array", "maxItems": each.limits["max_length"], "items": rule}
        is_null = each.is_nullable and not self.is_left_out
        return {"anyOf": [rule, {"bsonType": "null"}]} if is_null else rule

    def schema(self) -> CoreSchema:
        each = self.attribute
        schema = self.inner.schema() if self.inner else KINDS[each.type].read(each)
        if each.is_list:
            schema = core.list_schema(schema, strict=True, max_length=each.limits["max_length"])
        if each.is_nullable:
            schema = core.nullable_schema(schema)
        if each.has_default:
            schema = core.with_default_schema(schema, default=each.default)
        return schema

    def write(self, value: Any) -> Any:
        if value is None or self._write is None:
            return value
        if self.attribute.is_list:
            return [self._write(item) for item in value]
        return self._write(value)
