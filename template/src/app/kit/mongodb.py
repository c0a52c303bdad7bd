"""The parts of MongoDB storage for the repositories of features."""

from app.kit.storage.mongodb import Collection, Document, Storage
from app.kit.storage.mongodb_documents import Documents
from app.kit.storage.mongodb_dumps import dump_documents, load_documents
from app.kit.storage.mongodb_resources import NOTHING, Resources, counted
from app.kit.storage.operations import operation

__all__ = [
    "NOTHING",
    "Collection",
    "Document",
    "Documents",
    "Resources",
    "Storage",
    "counted",
    "dump_documents",
    "load_documents",
    "operation",
]
