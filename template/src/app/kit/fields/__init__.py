"""Types of fields for every feature, which every database stores exactly.

Their rules are for JSON, in requests and in dumps. How a database stores the values follows from
their Python type and limits. A choice of a few words is a ``Literal``.
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
