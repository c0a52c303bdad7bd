"""What has changed since an earlier dump: the records whose lines differ, and ids that are gone."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO
from uuid import UUID

from app.kit.dump.feature import DumpedFeature, Format, TransferError
from app.kit.dump.lines import CLOSING, MAX_LINE, Checksum, deletion, lines, parse
from app.kit.errors import Conflict, NotFound

Deletions = dict[str, list[UUID]]
"""Ids of records to delete, by feature."""


class Earlier:
    """An earlier dump of the same features."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def changes(self, of: Format, following: str | None) -> "Changes":
        """Return what compares the records of the next feature."""
        return Changes(of, self._lines(of.name, following))

    def _lines(self, name: str, following: str | None) -> Iterator[bytes]:
        checksum = Checksum(name)
        while line := self._file.readline(MAX_LINE + 1):
            if CLOSING.fullmatch(line) or not line.endswith(b"\n"):
                break
            checksum.add(line)
            yield line
        if line != checksum.closing_line(following):
            raise TransferError("The earlier dump is of other features, or was altered")


class Changes:
    """Compares records, in the order of their ids, with the lines of an earlier dump."""

    def __init__(self, of: Format, earlier: Iterator[bytes]) -> None:
        self._of, self._earlier = of, earlier
        self._old = next(earlier, None)

    def lines(self, records: Iterable[Any]) -> list[bytes]:
        """Return the lines of records that are new or differ, and deletions before them."""
        return [line for record in records for line in self._lines(record)]

    def rest(self) -> Iterator[bytes]:
        """Yield the deletions after the last record."""
        while self._old:
            yield self._gone()

    def _lines(self, record: Any) -> Iterator[bytes]:
        new = self._of.records.dump_json(record) + b"\n"
        while self._old and self._old != new and self._old_id < record.id:
            yield self._gone()
        if self._old != new:
            yield from lines(self._of, [record])
        if self._old and (self._old == new or self._old_id == record.id):
            self._old = next(self._earlier, None)

    def _gone(self) -> bytes:
        line = deletion(self._old_id)
        self._old = next(self._earlier, None)
        return line

    @property
    def _old_id(self) -> UUID:
        assert self._old
        this_id: UUID = parse(self._of, self._old, "The earlier dump").id
        return this_id


async def delete(features: Sequence[DumpedFeature], gone: Deletions) -> Deletions:
    """Delete records, those that refer to others first; return those that are referred to."""
    kept: Deletions = {}
    for feature in reversed(features):
        for this_id in gone.get(feature.name, ()):
            try:
                await _delete(feature)(this_id)
            except NotFound:
                pass
            except Conflict:
                kept.setdefault(feature.name, []).append(this_id)
    return kept


def _delete(feature: DumpedFeature) -> Callable[[UUID], Awaitable[None]]:
    if method := getattr(feature.repository, "delete", None):
        deleting: Callable[[UUID], Awaitable[None]] = method
        return deleting
    raise TransferError(f"{feature.name}: records are gone, but its Repository has no delete().")
