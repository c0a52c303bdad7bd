"""Types of fields that mean the same in every feature, and that every database keeps exactly.

Their rules are for JSON, in requests and in dumps. How a database keeps the values follows from
their Python type and from their limits. A choice of a few words is a ``Literal``.
"""

from app.kit.fields.decimals import Digits
from app.kit.fields.ids import Id, Uuid
from app.kit.fields.numbers import Count, Flag, Integer, Version
from app.kit.fields.texts import MAX_CONTENT, Content, Email, Text, Url
from app.kit.fields.times import Date, Moment, Timestamp

__all__ = [
    "MAX_CONTENT",
    "Content",
    "Count",
    "Date",
    "Digits",
    "Email",
    "Flag",
    "Id",
    "Integer",
    "Moment",
    "Text",
    "Timestamp",
    "Url",
    "Uuid",
    "Version",
]
